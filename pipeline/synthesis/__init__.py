"""Digits and other marks that the project draws itself, for training and for evaluation."""
