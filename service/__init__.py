"""The HTTP service, which reads pictures with `digits`."""
