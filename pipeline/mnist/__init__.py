"""MNIST: where its files come from, how they are read, and the splits that are made of them."""
