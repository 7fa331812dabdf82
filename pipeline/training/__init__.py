"""The training: network, optimizers, batches, and how an interrupted training goes on."""
