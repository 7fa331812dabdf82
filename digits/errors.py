"""Every error that `digits` raises on purpose.

DigitsError
├── ModelError    a model folder that cannot be served: missing, damaged, or of another shape
├── ImageError    pixels that hold no picture: a side of zero, an array that is no image
└── ClusterError  no Ray cluster, where one was asked for
"""


class DigitsError(Exception):
    """The base of all errors here; its text is one sentence that says what to do."""


class ModelError(DigitsError):
    """A model folder that cannot be loaded: missing, damaged, or with another contract."""


class ImageError(DigitsError):
    """Something that is no picture: a side of zero pixels, an array of another kind."""


class ClusterError(DigitsError):
    """A Ray cluster that is not there, or does not take this machine."""
