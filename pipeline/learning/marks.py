"""Extract the marks of a feedback picture as network inputs with labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from digits.errors import ImageError
from digits.pictures import why_unread
from digits.reader import Reader
from feedback.labels import NOT_A_DIGIT as SAID
from pipeline.mnist.accepted import NOT_A_DIGIT
from pipeline.mnist.dataset import Digits


class Unusable(Exception):
    """A picture cannot be used for training. The message is the reason, as the end of a sentence."""


def marks_of(reader: Reader, path: Path, label: str) -> Digits:
    """Return the labelled marks of the picture in a file; raises `Unusable`.

    A label with one digit, or "not a digit", applies to all ink together, even if the reader found several
    digits. With any other label, the reader must find as many digits as the label has.
    """
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise Unusable(f"{why_unread(error)}") from error
    labels = [NOT_A_DIGIT] if label == SAID else [int(one) for one in label if one.isdigit()]
    try:
        found = _one(reader, image) if len(labels) == 1 else _several(reader, image)
    except ImageError as error:
        raise Unusable(str(error)) from error
    if len(found) != len(labels):
        wanted = "1 digit" if len(labels) == 1 else f"{len(labels)} digits"
        raise Unusable(f"the label has {wanted}, but the reader finds {len(found) or 'none'}")
    return Digits(found, np.array(labels, np.uint8))


def _one(reader: Reader, image: Image.Image) -> NDArray[np.uint8]:
    seen = reader.seen(image)
    return np.zeros((0, 28, 28), np.uint8) if seen is None else seen[None]


def _several(reader: Reader, image: Image.Image) -> NDArray[np.uint8]:
    """Return all marks in reading order, without minus signs, commas and points."""
    shown = zip(reader.read(image).digits, reader.explain(image), strict=True)
    return np.array([why.seen for mark, why in shown if mark.sign is None], np.uint8).reshape(-1, 28, 28)
