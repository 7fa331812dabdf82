"""Straight printed lines, whatever their thickness and darkness: solid, dashed and dotted ones."""
