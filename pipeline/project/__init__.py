"""Code that all stages share: paths, parameters, file access, errors, and the runner."""
