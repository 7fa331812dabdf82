"""A run made again at its commit, with its parameters and data, and compared with what was recorded."""
