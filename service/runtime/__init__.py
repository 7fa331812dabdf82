"""What a worker runs on: the model in service, queues, metrics and logs."""
