"""The state of a worker: the model in service, queues, traffic counts, metrics and logs."""
