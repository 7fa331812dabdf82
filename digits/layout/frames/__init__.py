"""Sorts printed lines into tables, boxes, combs and lines of the paper, and removes them from the picture."""
