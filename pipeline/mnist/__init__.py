"""MNIST: the sources of its files, their format, and the data splits."""
