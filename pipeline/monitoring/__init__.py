"""Whether what the service is sent still looks like what the champion was measured on."""
