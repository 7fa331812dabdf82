"""Finds lines outside frames: those of ruled paper, or a single line away from all writing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.layout.frames.lattice import chosen_of, cut_off
from digits.layout.rules.rule import Rule

THROUGH = 0.04  # distance from the edge within which lines of the paper end, relative to the picture's side
_RULED = 0.45  # least length of a line next to frames, relative to the picture's side
_UNBROKEN = 0.85  # least share of ink of such a line
THIN = 0.1  # greatest thickness of a line, relative to its length
_LONGER = 0.04  # least reach of a single line beyond both sides of the writing, relative to its extent
_BESIDE = 0.4  # least width of the writing next to a vertical line, relative to the line's length
_ASIDE = 0.12  # greatest distance of a single line inside the writing's edge, relative to its extent


def long_beside(frame: Sequence[Rule], left: Sequence[Rule], side: int) -> list[Rule]:
    """Lines of one direction next to a frame that are longer than all of its own rules."""
    longest = max((rule.length for rule in frame), default=0.0)
    return [
        rule
        for rule in left
        if rule.length > max(longest, _RULED * side) and (rule.step or rule.covered > _UNBROKEN)
    ]


def lone(rules: Sequence[Rule], writing: NDArray[np.uint8], horizontal: bool) -> list[Rule]:
    """The long lines that were not drawn by a pen: many lines of ruled paper, or one away from all writing.

    `writing` is the mask without the lines, transposed if they are vertical. Pen strokes are more often
    vertical.
    """
    thin = [rule for rule in rules if rule.step or rule.thickness <= THIN * rule.length]
    columns, rows = np.flatnonzero(writing.any(axis=0)), np.flatnonzero(writing.any(axis=1))
    if not thin:
        return []
    width = writing.shape[1]
    through = cut_off(thin, width, THROUGH).min(axis=1)
    if not len(columns):
        return chosen_of(thin, through) if horizontal and len(thin) > 1 else []
    if len(thin) > 2:
        return chosen_of(thin, through)
    first, last = np.percentile(columns, (2, 98))
    top, bottom = np.percentile(rows, (5, 95))
    beyond, rim = _LONGER * (last - first), _ASIDE * (bottom - top)
    return [
        rule
        for rule, whole in zip(thin, through, strict=True)
        if not top + rim <= rule.at(rule.middle) <= bottom - rim
        and (whole or (rule.start < first - beyond and rule.end > last + beyond))
        and (horizontal or last - first > _BESIDE * rule.length)
    ]
