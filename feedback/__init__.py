"""What people say that a picture really shows: the record of it, and the folder that keeps it."""
