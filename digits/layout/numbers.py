"""Where one number ends and the next begins: at wide gaps of a line, or where a cell ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from digits.ink.sheet import Box

_SPACE = 0.85  # of the line's height: a wider gap parts two numbers


def spaces(boxes: Sequence[Box], height: float) -> list[bool]:
    """For each two neighbours of a line, left to right, whether a new number begins with the second."""
    return [right[0] - left[2] > _SPACE * height for left, right in pairwise(boxes)]
