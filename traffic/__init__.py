"""Counts of how pictures looked, and their distance from the pictures that a model was measured on.

The same code counts the pictures that the service reads and those that `evaluate` draws. Nothing but these
counts is stored.
"""
