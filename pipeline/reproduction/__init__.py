"""Reproduce a run at its commit, with its parameters and data, and compare it with the record."""
