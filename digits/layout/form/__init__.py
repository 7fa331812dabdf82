"""The printed form on a page: its cells, the tables and rows of boxes that they form, and the gaps."""
