"""The errors that `digits` raises.

DigitsError
├── ModelError    a model folder that cannot be loaded
├── ImageError    a picture or an array that cannot be read
└── ClusterError  a Ray cluster that cannot be used
"""


class DigitsError(Exception):
    """The base class of these errors. Each message says what to do."""


class ModelError(DigitsError):
    """A model folder that cannot be loaded: missing, damaged, or with another input contract."""


class ImageError(DigitsError):
    """A picture with a side of zero pixels or damaged colours, or an array that is not an image."""


class ClusterError(DigitsError):
    """A Ray cluster that cannot be reached, or that does not accept work from this machine."""
