"""From ink to marks: connected components, lines of writing, cuts, and which pieces are one digit."""
