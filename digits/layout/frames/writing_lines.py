"""Finds the writing lines of a form, which are horizontal, next to some writing, and longer than digits."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digits.layout.frames.lone_lines import THIN
from digits.layout.rules.rule import Mask, Rule, Rules, erased

_UNBROKEN = 0.9  # least share of ink, which is greater than that of the feet of neighbouring digits
_DASHES = 8  # least number of dashes, which is greater than the number of digits in a number
_LONG = 4.0  # least length, which touching digits do not reach, relative to the writing's height
_LOW = 0.4  # below this share of the tallest piece, a piece is not a digit
_BESIDE = 0.25  # distance from a line within which ink is searched, relative to the writing's height
_STRUCK = 0.3  # share of places with ink on both sides, above which a line strikes out a number


def writing_lines(free: Sequence[Rule], others: Rules, mask: Mask) -> list[Rule]:
    """The horizontal lines outside frames on which something was written.

    `others` are the lines of frames in the same mask. A level stroke with no writing next to it is a mark
    itself, and a line through a number strikes it out.
    """
    thin = [
        rule
        for rule in free
        if (rule.length > _DASHES * rule.step if rule.step else rule.covered > _UNBROKEN)
        and rule.thickness <= THIN * rule.length
    ]
    if not thin:
        return []
    writing = erased(mask, Rules([*others.horizontal, *thin], others.vertical))
    height = _height(writing)
    return [
        rule
        for rule in thin
        if height and rule.length >= _LONG * height and not _strikes_out(rule, writing, height)
    ]


def _height(writing: Mask) -> float:
    """The usual height of pieces of writing in pixels; 0 if there is none."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(writing, connectivity=8)
    heights = np.asarray(stats[1:, cv2.CC_STAT_HEIGHT])
    return float(np.median(heights[heights >= _LOW * heights.max()])) if len(heights) else 0.0


def _strikes_out(rule: Rule, writing: Mask, height: float) -> bool:
    """Whether there is ink both just above and just below a line, along much of it."""
    columns = np.arange(max(0, round(rule.start)), min(writing.shape[1], round(rule.end)))
    middle = rule.at(columns.astype(np.float64))
    aside = rule.thickness / 2 + 2 + np.arange(max(2, round(_BESIDE * height)))
    rows = [np.rint(middle + side * aside[:, None]).astype(int) for side in (-1, 1)]
    above, below = (writing[np.clip(some, 0, len(writing) - 1), columns].any(axis=0) for some in rows)
    return bool((above & below).sum() > _STRUCK * (above | below).sum())
