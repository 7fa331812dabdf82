"""A row of boxes: its upper and lower side, the known vertical sides, and the ink between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.frames.lattice import crossings, tolerances
from digits.layout.rules.courses import ASIDE
from digits.layout.rules.profile import OWN
from digits.layout.rules.rule import Rule
from digits.layout.rules.scale import Scale

_ALIKE = 0.15  # greatest difference in length of the upper and the lower side, relative to the longer
STRAYS = 0.08  # greatest deviation of a side from its even place, relative to a box's width
_ENOUGH = 0.5  # least share of ink of another side, relative to that of the known sides
_WIDER = 1.5  # greatest gap of another side, relative to the widest gap between the known sides' dashes
_SMALL = 0.06  # a gap of this share of the row's height is always allowed
_AS_GOOD = 0.05  # a difference of this share in ink does not matter


class BoxRow(NamedTuple):
    """The upper and lower side of a row of boxes, and the known vertical sides between them.

    `places` are where the vertical sides meet the upper side, and `aside` how much further along they meet
    the lower side.
    """

    upper: Rule
    lower: Rule
    vertical: list[Rule]
    places: NDArray[np.float64]
    aside: NDArray[np.float64]

    def lean(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """The `aside` of vertical sides at these places of the upper side."""
        if len(self.places) == 2:
            return np.interp(places, self.places, self.aside)  # two sides are too few to extrapolate
        return np.asarray(np.polyval(np.polyfit(self.places, self.aside, 1), places))

    @property
    def height(self) -> float:
        return float(self.lower.at(self.lower.middle)) - float(self.upper.at(self.upper.middle))


class Columns(NamedTuple):
    """The ink along a vertical line at each place of a row of boxes, from the place `first` on.

    `share` is the share of the line that shows ink, where nothing hides it. `gap` is the widest gap in
    pixels.
    """

    first: int
    share: NDArray[np.float64]
    gap: NDArray[np.intp]

    def side_near(self, place: float, width: float, known: Iterable[float], row: BoxRow) -> float | None:
        """The place of a side near `place` that shows as well as the known sides do; None without one."""
        own = np.clip(np.rint(list(known)).astype(int) - self.first, 0, len(self.share) - 1)
        least = _ENOUGH * float(np.median(self.share[own]))
        most = max(_WIDER * float(np.median(self.gap[own])) + 1, _SMALL * row.height)
        near = STRAYS * width
        ends = np.rint(np.array([place - near, place + near + 1])).astype(int) - self.first
        first, last = np.clip(ends, 0, len(self.share)).tolist()
        share = np.where(self.gap[first:last] <= most, self.share[first:last], 0.0)
        if share.max(initial=0.0) <= least:
            return None
        best = np.flatnonzero(share >= share.max() - _AS_GOOD)
        return float(best.mean()) + float(first + self.first)


def row_between(upper: Rule, lower: Rule, vertical: Sequence[Rule], scale: Scale) -> BoxRow | None:
    """The row of boxes with these two sides, if at least two of the vertical rules join them; else None."""
    height = float(lower.at(upper.middle)) - float(upper.at(upper.middle))
    longer = max(upper.length, lower.length)
    if abs(upper.length - lower.length) > _ALIKE * longer or not scale.shortest <= height < longer:
        return None
    x, y = crossings([upper, lower], vertical)
    near = tolerances(vertical, scale)[:, 0]
    start, end = (np.array([getattr(rule, name) for rule in vertical]) for name in ("start", "end"))
    goes = (np.abs(y[0] - start) <= near) & (np.abs(y[1] - end) <= near)
    for side, places in ((upper, x[0]), (lower, x[1])):
        goes &= (places >= side.start - near) & (places <= side.end + near)
    known = np.flatnonzero(goes)
    if len(known) < 2:
        return None  # the width of a box is not known from one rule
    known = known[np.argsort(x[0, known])]
    return BoxRow(upper, lower, [vertical[k] for k in known.tolist()], x[0, known], (x[1] - x[0])[known])


def columns_of(row: BoxRow, dark: Grey) -> Columns:
    """The ink along a vertical line at each place between the upper and the lower side of a row."""
    thickness = float(np.median([rule.thickness for rule in row.vertical]))
    room = int(row.height / 2)  # a horizontal side may end before the last vertical one
    first = int(min(row.upper.start, row.lower.start)) - room
    places = np.arange(first, int(max(row.upper.end, row.lower.end)) + room).astype(float)
    below = places + row.lean(places)
    top = row.upper.at(places) + row.upper.thickness / 2 + ASIDE
    bottom = row.lower.at(below) - row.lower.thickness / 2 - ASIDE
    share = np.linspace(0, 1, max(2, int(row.height)))[:, None]
    x, y = (1 - share) * places + share * below, (1 - share) * top + share * bottom
    strip = np.asarray(
        cv2.remap(dark, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0), np.int16
    )
    away = int(np.ceil(thickness / 2)) + ASIDE
    on = np.asarray(cv2.dilate(strip, np.ones((1, 3), np.uint8)))
    beside = [np.roll(strip, side, axis=1) for side in (-away, away)]
    ridge = on - np.maximum(*beside)
    known = np.clip(np.rint(row.places).astype(int) - first, 0, len(places) - 1)
    level = OWN * float(np.median(np.quantile(ridge[:, known], 0.75, axis=0)))
    inked = ridge >= level
    bare = ~inked & (on < level + np.median(strip))
    ink, blank = inked.sum(axis=0), bare.sum(axis=0)
    shown = np.where(ink + blank > 0, ink / np.maximum(1, ink + blank), 1.0)
    return Columns(first, shown, _longest(bare))


def _longest(bare: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The greatest number of successive bare rows in each column (columns,)."""
    number = np.arange(1, len(bare) + 1)[:, None]
    before = np.maximum.accumulate(np.where(bare, 0, number), axis=0)
    return np.asarray((number - before).max(axis=0))
