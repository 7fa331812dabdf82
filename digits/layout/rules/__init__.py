"""Straight printed lines, called rules, of any thickness and darkness: solid, dashed and dotted ones."""
