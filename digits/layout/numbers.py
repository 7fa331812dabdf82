"""Where one number ends and the next begins: at wide gaps of a line, or where a cell ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digits.ink.sheet import Box

_SPACE = 0.85  # of the line's height: a wider gap parts two numbers, where no others are there to compare
_NARROWEST = 0.45  # the same: no narrower one does
_PLAINLY = 1.7  # times as wide as all others: the gaps between numbers
_SIDE_BY_SIDE = 2  # gaps within numbers, and between them, tell how wide both are


def gaps(boxes: Sequence[Box], height: float) -> list[float]:
    """How far each two neighbours of a line are apart, left to right, in heights of the line."""
    return [(right[0] - left[2]) / height for left, right in pairwise(boxes)]


def widest_within(apart: Sequence[float]) -> float:
    """The widest gap within a number, of all gaps of a page: those between numbers are plainly wider."""
    found = np.sort(np.maximum(apart, _NARROWEST / _PLAINLY))
    if len(found) < 2 * _SIDE_BY_SIDE:
        return _SPACE
    steps = (found[1:] / found[:-1])[_SIDE_BY_SIDE - 1 : len(found) - _SIDE_BY_SIDE]
    widest = int(np.argmax(steps)) + _SIDE_BY_SIDE - 1
    if steps.max() < _PLAINLY or found[widest] > _SPACE:
        return _SPACE
    return float(np.clip(np.sqrt(found[widest] * found[widest + 1]), _NARROWEST, _SPACE))
