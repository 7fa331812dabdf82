"""Decoding: from a request's body to a picture, within limits of size, time and memory."""
