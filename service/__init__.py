"""The service: pictures over HTTP, answered by `digits`."""
