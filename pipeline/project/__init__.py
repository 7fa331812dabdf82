"""What every stage shares: paths, parameters, file access, errors, and the runner."""
