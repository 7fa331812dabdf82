"""Training: network, optimizers, batches, calibration, and checkpoints for resuming."""
