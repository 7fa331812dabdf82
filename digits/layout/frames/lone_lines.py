"""Lines that belong to no frame: of ruled paper, or one alone, apart from all writing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digits.layout.frames.lattice import chosen_of, cut_off
from digits.layout.rules.rule import Rule

THROUGH = 0.04  # of the picture's side: a line of the paper may end so far from its edge
_RULED = 0.45  # of the picture's side: a line beside frames is longer
_UNBROKEN = 0.85  # of such a line that shows ink
THIN = 0.1  # of its length: a line is no thicker
_LONGER = 0.04  # of the writing's extent: a lone line goes on so far on both sides of it
_BESIDE = 0.4  # of a standing line's length: the writing beside it is so high
_ASIDE = 0.12  # of the writing's extent: how far from its rim a lone line lies


def long_beside(frame: Sequence[Rule], left: Sequence[Rule], side: int) -> list[Rule]:
    """Lines of one direction beside a frame that are longer than all of its own."""
    longest = max((rule.length for rule in frame), default=0.0)
    return [
        rule
        for rule in left
        if rule.length > max(longest, _RULED * side) and (rule.step or rule.covered > _UNBROKEN)
    ]


def lone(rules: Sequence[Rule], writing: NDArray[np.uint8], lying: bool) -> list[Rule]:
    """Those long lines that no pen drew: many of ruled paper, or one apart from all writing.

    `writing` is the mask without them, turned so that they lie; strokes of a pen more often stand.
    """
    thin = [rule for rule in rules if rule.step or rule.thickness <= THIN * rule.length]
    columns, rows = np.flatnonzero(writing.any(axis=0)), np.flatnonzero(writing.any(axis=1))
    if not thin:
        return []
    width = writing.shape[1]
    through = cut_off(thin, width, THROUGH).min(axis=1)
    if not len(columns):
        return chosen_of(thin, through) if lying and len(thin) > 1 else []
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
        and (lying or last - first > _BESIDE * rule.length)
    ]
