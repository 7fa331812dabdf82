"""The standing sides of a row of boxes: they are evenly spaced, so a few of them tell where to look for the others.

Of a side that is a few dashes high, or that writing covers, too little is left to be found alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.frames.lattice import crossings, tolerances
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale

_MOST = 20  # lying rules, the longest: of more a row of boxes is hardly the only thing
_KNOWN = 2  # standing sides, at least
_ALIKE = 0.15  # of the longer one: so much the upper and the lower side of a row differ in length
_NARROWEST, _WIDEST = 0.35, 2.5  # of their height: boxes
_ASIDE = 0.08  # of a box's width: how far a side stands from its even place
_AT_END = 0.2  # of it: how far the upper and the lower side end from the last standing one
_OWN = 0.4  # of the known sides' contrast: what has less is paper
_BESIDE = 3  # pixels from a side's edge there is the paper that it is compared with
_ENOUGH = 0.5  # of the known sides' share of ink that another one shows
_WIDER = 1.5  # times the widest gap between their dashes: no other gap is wider
_SMALL = 0.06  # of their height: so wide a gap may be between any two


class _Row(NamedTuple):
    """The two lying sides of a row of boxes and the known standing ones between them: where they meet
    the upper side, and how far aside from there they meet the lower one."""

    upper: Rule
    lower: Rule
    standing: list[Rule]
    places: NDArray[np.float64]
    aside: NDArray[np.float64]

    def lean(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far aside standing sides at these places of the upper one meet the lower one."""
        if len(self.places) <= _KNOWN:
            return np.interp(places, self.places, self.aside)
        return np.asarray(np.polyval(np.polyfit(self.places, self.aside, 1), places))

    @property
    def height(self) -> float:
        return float(self.lower.at(self.lower.middle)) - float(self.upper.at(self.upper.middle))


class _Columns(NamedTuple):
    """At each place along a row of boxes: of the line that would stand there, the share that shows ink,
    where nothing hides it, and the widest gap in it."""

    first: int
    share: NDArray[np.float64]
    gap: NDArray[np.intp]


def with_even_sides(rules: Rules, dark: Grey, scale: Scale) -> Rules:
    """The rules, with all standing sides of rows of boxes, each from the upper to the lower side."""
    rows = sorted(sorted(rules.lying, key=lambda rule: -rule.length)[:_MOST], key=lambda rule: rule.at(rule.middle))
    standing = rules.standing
    for upper, lower in combinations(rows, 2):
        row = _row(upper, lower, standing, scale)
        if row is not None:
            sides = _even_sides(row, dark)
            if sides:
                known = {id(rule) for rule in row.standing}
                standing = [*(rule for rule in standing if id(rule) not in known), *sides]
    return Rules(rules.lying, standing)


def _row(upper: Rule, lower: Rule, standing: Sequence[Rule], scale: Scale) -> _Row | None:
    """These two as sides of a row of boxes, if enough standing rules go from one to the other."""
    height = float(lower.at(upper.middle)) - float(upper.at(upper.middle))
    longer = max(upper.length, lower.length)
    if abs(upper.length - lower.length) > _ALIKE * longer or not 0 < height < longer or not standing:
        return None
    x, y = crossings([upper, lower], standing)
    near = tolerances(standing, scale)[:, 0]
    start, end = (np.array([getattr(rule, name) for rule in standing]) for name in ("start", "end"))
    goes = (np.abs(y[0] - start) <= near) & (np.abs(y[1] - end) <= near)
    for side, places in ((upper, x[0]), (lower, x[1])):
        goes &= (places >= side.start - near) & (places <= side.end + near)
    known = np.flatnonzero(goes)
    if len(known) < _KNOWN:
        return None
    known = known[np.argsort(x[0, known])]
    return _Row(upper, lower, [standing[k] for k in known.tolist()], x[0, known], (x[1] - x[0])[known])


def _even_sides(row: _Row, dark: Grey) -> list[Rule]:
    """All standing sides of a row, if there are even places for them at which all show."""
    gaps = np.array([second - first for first, second in combinations(row.places.tolist(), 2)])
    columns = _columns(row, dark)
    narrowest, widest = _NARROWEST * row.height, _WIDEST * row.height
    counts = np.arange(1, max(2, int((row.upper.length) / narrowest) + 1))
    widths = np.unique(np.round((gaps[:, None] / counts).ravel(), 1))
    for width in widths[(widths >= narrowest) & (widths <= widest)].tolist():
        places = _even_places(row, width)
        if places is None:
            continue
        sides = _sides_at(row, places, width, columns)
        if sides is not None:
            return sides
    return []


def _even_places(row: _Row, width: float) -> NDArray[np.float64] | None:
    """The places of the sides of boxes about so wide, if all known ones stand there and the row ends at two."""
    first = float(row.places[0])
    for _ in range(2):
        number = np.rint((row.places - first) / width)
        if not number.any():
            return None
        width, first = np.polyfit(number, row.places, 1).tolist()
    if np.abs(row.places - first - width * number).max() > _ASIDE * width:
        return None
    apart = np.diff(row.places)[np.diff(number) == 0]
    if apart.max(initial=0.0) > max(rule.thickness for rule in row.standing) + 1:
        return None  # two stand there: those of boxes with room between them
    lean = float(np.median(row.aside))
    ends = []
    for upper, lower in ((row.upper.start, row.lower.start - lean), (row.upper.end, row.lower.end - lean)):
        number = np.rint(((upper + lower) / 2 - first) / width)
        near = max(_AT_END * width, row.upper.hidden, row.lower.hidden)
        if min(abs(first + number * width - end) for end in (upper, lower)) > near:
            return None
        ends.append(int(number))
    return first + width * np.arange(ends[0], ends[1] + 1)


def _sides_at(
    row: _Row, places: NDArray[np.float64], width: float, columns: _Columns
) -> list[Rule] | None:
    """The sides at these places, if all of them show."""
    known = np.rint(row.places).astype(int) - columns.first
    share, gap = float(np.median(columns.share[known])), float(np.median(columns.gap[known]))
    least, most = _ENOUGH * share, max(_WIDER * gap + 1, _SMALL * row.height)
    dashed = any(rule.dashed for rule in row.standing)
    thickness = float(np.median([rule.thickness for rule in row.standing]))
    step = float(np.median([rule.step for rule in row.standing]))
    near = _ASIDE * width
    sides = []
    for place in places.tolist():
        apart = np.abs(row.places - place)
        if apart.min() <= near:
            at = float(row.places[apart.argmin()])
        else:
            own = np.arange(max(0, int(place - near) - columns.first), int(place + near) + 1 - columns.first)
            own = own[own < len(columns.share)]
            own = own[(columns.share[own] >= least) & (columns.gap[own] <= most)]
            if not len(own):
                return None
            best = own[columns.share[own] >= columns.share[own].max() - 0.05]
            at = float(best.mean()) + columns.first
        aside = float(row.lean(np.array([at]))[0])
        start, end = float(row.upper.at(at)), float(row.lower.at(at + aside))
        slope = aside / max(1.0, end - start)
        sides.append(Rule(start, end, (0.0, slope, at - slope * start), thickness, share, dashed, step))
    return sides


def _columns(row: _Row, dark: Grey) -> _Columns:
    """What stands between the upper and the lower side of a row, place by place."""
    thickness = float(np.median([rule.thickness for rule in row.standing]))
    room = int(max(row.upper.hidden, row.lower.hidden, thickness)) + 2 * _BESIDE
    first = int(min(row.upper.start, row.lower.start)) - room
    places = np.arange(first, int(max(row.upper.end, row.lower.end)) + room).astype(float)
    below = places + row.lean(places)
    top = row.upper.at(places) + row.upper.thickness / 2 + _BESIDE
    bottom = row.lower.at(below) - row.lower.thickness / 2 - _BESIDE
    share = np.linspace(0, 1, max(2, int(row.height)))[:, None]
    x, y = (1 - share) * places + share * below, (1 - share) * top + share * bottom
    strip = np.asarray(
        cv2.remap(dark, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderValue=0), np.int16
    )
    away = int(np.ceil(thickness / 2)) + _BESIDE
    on = np.asarray(cv2.dilate(strip, np.ones((1, 3), np.uint8)))
    beside = [np.roll(strip, side, axis=1) for side in (-away, away)]
    ridge, paper = on - np.maximum(*beside), np.minimum(*beside)
    known = np.clip(np.rint(row.places).astype(int) - first, 0, len(places) - 1)
    level = _OWN * float(np.median(np.quantile(ridge[:, known], 0.75, axis=0)))
    inked = ridge >= level
    bare = ~inked & (on < level + paper)
    ink, blank = inked.sum(axis=0), bare.sum(axis=0)
    shown = np.where(ink + blank > 0, ink / np.maximum(1, ink + blank), 1.0)
    return _Columns(first, shown, _longest(bare))


def _longest(bare: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(columns,): how many rows in a row are bare at most."""
    number = np.arange(1, len(bare) + 1)[:, None]
    before = np.maximum.accumulate(np.where(bare, 0, number), axis=0)
    return np.asarray((number - before).max(axis=0))
