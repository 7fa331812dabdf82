"""What pictures have looked like, as counts alone, and how far that is from what a model was measured on.

The service counts what it reads, `evaluate` counts what it draws, by the same code; nothing else is kept.
"""
