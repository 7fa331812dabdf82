"""Checks of each picture format, made without decoding a pixel."""
