"""Lines to write on, as forms have them: level, beside some writing, and longer than digits are."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digits.layout.frames.lone_lines import THIN
from digits.layout.rules.rule import Mask, Rule, Rules, wiped

_UNBROKEN = 0.9  # of it that shows ink: the feet of digits beside each other show less
_DASHES = 8  # of a dashed line: the feet of the digits of a number are fewer
_LONG = 4.0  # times the writing's height: the feet of digits that touch are together shorter
_LOW = 0.4  # of the tallest piece: what is lower is no digit
_BESIDE = 0.25  # of the writing's height: above and below a line, where ink is looked for
_STRUCK = 0.3  # of the places with ink beside them, that have it on both sides: a line through writing


def writing_lines(free: Sequence[Rule], others: Rules, mask: Mask) -> list[Rule]:
    """Those lying lines, of which none is part of a frame, on which something was written.

    `others` are the lines of frames in the same mask. A level stroke where nothing else is written is a mark
    of its own, and one through a number strikes it out.
    """
    thin = [
        rule
        for rule in free
        if (rule.length > _DASHES * rule.step if rule.step else rule.covered > _UNBROKEN)
        and rule.thickness <= THIN * rule.length
    ]
    if not thin:
        return []
    writing = wiped(mask, Rules([*others.lying, *thin], others.standing))
    height = _height(writing)
    return [
        rule
        for rule in thin
        if height and rule.length >= _LONG * height and not _strikes_out(rule, writing, height)
    ]


def _height(writing: Mask) -> float:
    """The usual height of pieces of writing in pixels; 0 where there is none."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(writing, connectivity=8)
    heights = np.asarray(stats[1:, cv2.CC_STAT_HEIGHT])
    return float(np.median(heights[heights >= _LOW * heights.max()])) if len(heights) else 0.0


def _strikes_out(rule: Rule, writing: Mask, height: float) -> bool:
    """Whether there is ink just above and just below it, along much of it."""
    columns = np.arange(max(0, round(rule.start)), min(writing.shape[1], round(rule.end)))
    middle = rule.at(columns.astype(np.float64))
    aside = rule.thickness / 2 + 2 + np.arange(max(2, round(_BESIDE * height)))
    rows = [np.rint(middle + side * aside[:, None]).astype(int) for side in (-1, 1)]
    above, below = (writing[np.clip(some, 0, len(writing) - 1), columns].any(axis=0) for some in rows)
    return bool((above & below).sum() > _STRUCK * (above | below).sum())
