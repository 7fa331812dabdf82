"""Errors of storing, changing or listing feedback. Each message says what to do."""


class FeedbackError(Exception):
    """The base class of these errors, raised itself for a file that is not a picture and an unknown id."""


class BadLabel(FeedbackError):
    """A label that is not a digit, not a number and not "not_a_digit"."""


class Full(FeedbackError):
    """The limit on pictures or bytes is reached, or the disk is full."""


class Unusable(FeedbackError):
    """A folder that cannot be written to or read, or a path that is not a folder."""
