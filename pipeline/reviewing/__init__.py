"""Review of the feedback that people sent, for `make feedback`."""
