"""The desktop window (Tkinter)."""
