"""Why feedback is not kept, changed or shown; each text is one sentence that says what to do."""


class FeedbackError(Exception):
    """The base of all errors here; by itself: a picture or an id that is not to be had."""


class BadLabel(FeedbackError):
    """A label that is neither a digit, nor a number, nor "not a digit"."""


class Full(FeedbackError):
    """As many pictures or bytes as there may be are kept already, or the disk is full."""


class Unusable(FeedbackError):
    """A folder that cannot be written to, or that is none."""
