"""The hyperparameter search of `make search`: its space, its study and its trials."""
