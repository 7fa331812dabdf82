"""The standing sides of a row of boxes: they are evenly spaced, so a few of them tell where the others are.

Of a side that is a few dashes high, or that writing covers, too little is left to be found alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from math import gcd
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, turned
from digits.layout.frames.lattice import crossings, tolerances
from digits.layout.rules.profile import centred
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale

_MOST = 20  # lying rules, the longest: of more a row of boxes is hardly the only thing
_KNOWN = 2  # standing sides, at least
_FEW = 3  # of them
_ALIKE = 0.15  # of the longer one: so much the upper and the lower side of a row differ in length
_NARROWEST, _WIDEST = 0.5, 2.5  # of their height: boxes for a digit each
_ASIDE = 0.08  # of a box's width: how far a side stands from its even place
_AT_END = 0.2  # of it: how far the upper and the lower side end from the last standing one
_OWN = 0.4  # of the known sides' contrast: what has less is paper
_BESIDE = 3  # pixels from a side's edge there is the paper that it is compared with
_ENOUGH = 0.5  # of the known sides' share of ink that another one shows
_WIDER = 1.5  # times the widest gap between their dashes: no other gap is wider
_TRACE = 0.1  # of a side that shows, at least
_AS_GOOD = 0.05  # of its share of ink: so much less makes no difference
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

    def side_near(self, place: float, width: float, known: Iterable[float], row: _Row) -> float | None:
        """Where a side shows near this place, as well as the known ones do."""
        own = np.clip(np.rint(list(known)).astype(int) - self.first, 0, len(self.share) - 1)
        least = _ENOUGH * float(np.median(self.share[own]))
        most = max(_WIDER * float(np.median(self.gap[own])) + 1, _SMALL * row.height)
        ends = (
            np.rint(np.array([place - _ASIDE * width, place + _ASIDE * width + 1])).astype(int) - self.first
        )
        first, last = np.clip(ends, 0, len(self.share)).tolist()
        share = np.where(self.gap[first:last] <= most, self.share[first:last], 0.0)
        if share.max(initial=0.0) < max(least, _TRACE):
            return None
        best = np.flatnonzero(share >= share.max() - _AS_GOOD)
        return float(best.mean()) + float(first + self.first)


def with_even_sides(rules: Rules, dark: Grey, scale: Scale) -> Rules:
    """The rules, with all standing sides of rows of boxes, each from the upper to the lower side."""
    longest = sorted(rules.lying, key=lambda rule: -rule.length)[:_MOST]
    rows = sorted(longest, key=lambda rule: float(rule.at(rule.middle)))
    standing, new = rules.standing, list[Rule]()
    sides_of: dict[int, list[Rule]] = {}
    for upper, lower in combinations(rows, 2):
        row = _row(upper, lower, standing, scale)
        sides = [] if row is None else _even_sides(row, dark)
        if row is not None and sides:
            known = {id(rule) for rule in row.standing}
            standing = [rule for rule in standing if id(rule) not in known]
            new.extend(sides)
            sides_of.update({id(rule): [*sides_of.get(id(rule), []), *sides] for rule in (upper, lower)})
    return Rules([_up_to(rule, sides_of.get(id(rule), [])) for rule in rules.lying], [*standing, *new])


def _up_to(rule: Rule, sides: Sequence[Rule]) -> Rule:
    """A lying side of a row of boxes as far as its first and its last standing one."""
    x, _ = crossings([rule], sides)
    return replace(rule, start=float(x.min(initial=rule.start)), end=float(x.max(initial=rule.end)))


def _row(upper: Rule, lower: Rule, standing: Sequence[Rule], scale: Scale) -> _Row | None:
    """These two as sides of a row of boxes, if enough standing rules go from one to the other."""
    height = float(lower.at(upper.middle)) - float(upper.at(upper.middle))
    longer = max(upper.length, lower.length)
    if (
        abs(upper.length - lower.length) > _ALIKE * longer
        or not scale.shortest <= height < longer
        or not standing
    ):
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
    narrowest, widest = _NARROWEST * row.height, _WIDEST * row.height
    counts = np.arange(1, max(2, int(row.upper.length / narrowest) + 1))
    widths = np.unique(np.rint((gaps[:, None] / counts).ravel()))
    columns = _columns(row, dark)
    for width in widths[(widths >= narrowest) & (widths <= widest)].tolist():
        known = _even(row, width)
        places = None if known is None else _all_places(row, known, columns)
        if places is not None:
            return _sides(row, places, dark)
    return []


def _even(row: _Row, width: float) -> dict[int, float] | None:
    """The places of the known sides by their number, if they stand evenly, boxes about so wide apart."""
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
    if len(row.places) > _FEW and gcd(*number.astype(int).tolist()) > 1:
        return None  # by chance not each second one would be found
    return {int(k): float(row.places[number == k].mean()) for k in np.unique(number)}


def _all_places(row: _Row, known: dict[int, float], columns: _Columns) -> list[float] | None:
    """The places of all sides of a row, if each of them shows: from one to the next, as perspective wants."""
    places = dict(known)
    width = (places[max(places)] - places[min(places)]) / (max(places) - min(places))
    lean = float(np.median(row.aside))
    upper, lower = row.upper, row.lower
    near = max(_AT_END * width, upper.hidden, lower.hidden)
    for step, number, ends in (
        (1, min(places), (upper.end, lower.end - lean)),
        (-1, max(places), (upper.start, lower.start - lean)),
    ):
        while number + step in places or max((end - places[number]) * step for end in ends) >= width - near:
            if number + step not in places:
                found = columns.side_near(places[number] + step * width, width, known.values(), row)
                if found is None:
                    break
                places[number + step] = found
            number += step
        if min(abs(end - places[number]) for end in ends) > near:
            return None
    return [places[number] for number in sorted(places)]


def _sides(row: _Row, places: Sequence[float], dark: Grey) -> list[Rule]:
    """The standing sides of a row at these places of its upper one."""
    thickness = min(
        float(np.median([rule.thickness for rule in row.standing])),
        max(row.upper.thickness, row.lower.thickness),
    )
    covered, step = (
        float(np.median([getattr(rule, name) for rule in row.standing])) for name in ("covered", "step")
    )
    dashed = any(rule.dashed for rule in row.standing)
    sides = []
    for place, aside in zip(places, row.lean(np.array(places)).tolist(), strict=True):
        start, end = float(row.upper.at(place)), float(row.lower.at(place + aside))
        slope = aside / max(1.0, end - start)
        course = (0.0, slope, place - slope * start)
        sides.append(Rule(start, end, course, thickness, covered, dashed, step))
    return _straightened(sides, dark) if dashed else sides


def _straightened(sides: list[Rule], dark: Grey) -> list[Rule]:
    """Dashed sides on the middle of their dashes, but for those that a stroke beside them would turn."""
    middle = centred(sides, turned(dark))
    turns = np.array([(new.slope - old.slope) * old.length for new, old in zip(middle, sides, strict=True)])
    off = np.abs(turns - np.median(turns))
    return [
        new if far <= old.thickness + 1 else old
        for new, old, far in zip(middle, sides, off.tolist(), strict=True)
    ]


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
