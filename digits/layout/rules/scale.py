"""Sizes that follow from the width of the strokes of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.rule import Mask

_USUAL = 0.3  # quantile of all runs of ink that is the stroke width; rules are thinner than most strokes
_THICKEST = 4.0  # stroke widths: greatest thickness of a rule
_SHORTEST = 6.0  # stroke widths: least length of a rule
_GAP = 4.0  # stroke widths: greatest gap in a dashed rule
_DASH = 6.0  # stroke widths: greatest length of a dash


@dataclass(frozen=True)
class Scale:
    """Sizes in pixels that follow from the usual stroke width of a picture, in pixels."""

    stroke: float

    @classmethod
    def of(cls, mask: Mask) -> Scale:
        """The scale of a mask (height, width), from the lengths of the runs of ink in rows and columns."""
        runs = [
            _runs(np.asarray(lines, np.uint8))
            for lines in (mask[:: _every(len(mask))], mask.T[:: _every(len(mask.T))])
        ]
        both = np.concatenate(runs)
        return cls(max(1.5, float(np.quantile(both, _USUAL))) if len(both) else 1.5)

    @cached_property
    def thickest(self) -> float:
        return _THICKEST * self.stroke + 2

    @cached_property
    def shortest(self) -> int:
        return max(10, round(_SHORTEST * self.stroke))

    @cached_property
    def dash(self) -> int:
        return round(_DASH * self.stroke) + 5

    @cached_property
    def gap(self) -> int:
        return round(_GAP * self.stroke) + 3


def _every(lines: int) -> int:
    return max(1, lines // 200)


def _runs(lines: Mask) -> NDArray[np.intp]:
    """The lengths of all runs of ink in these lines."""
    padded = np.zeros((len(lines), lines.shape[1] + 2), np.int8)
    padded[:, 1:-1] = lines
    turns = np.diff(padded.ravel())
    return np.flatnonzero(turns < 0) - np.flatnonzero(turns > 0)
