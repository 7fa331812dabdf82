"""Finds the marks in ink: connected components, lines of writing, cuts, and the digits that pieces form."""
