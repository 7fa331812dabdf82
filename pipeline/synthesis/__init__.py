"""Synthetic digits, other marks and papers, for training and evaluation."""
