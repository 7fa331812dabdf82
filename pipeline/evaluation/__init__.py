"""Evaluation: metrics with intervals, plots, the model card, and the promotion gate."""
