"""Completes the vertical sides of a row of boxes. They are evenly spaced, so a few sides give all places.

A side of only a few dashes, or one that writing covers, shows too little to be found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np

from digits.ink.sheet import Grey, transposed
from digits.layout.frames.box_rows import STRAYS, BoxRow, Columns, columns_of, row_between
from digits.layout.frames.lattice import crossings
from digits.layout.rules.profile import centred
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale

_MOST = 20  # number of the longest horizontal rules that are examined
_NARROWEST, _WIDEST = 0.5, 2.5  # ratio of width to height of boxes for one digit
_ROUGHLY = 0.3  # tolerance of sides at a roughly known width, and of the row's ends, relative to the width


def with_even_sides(rules: Rules, dark: Grey, scale: Scale) -> Rules:
    """The rules, with all vertical sides of rows of boxes, each from the upper to the lower side."""
    longest = sorted(rules.horizontal, key=lambda rule: -rule.length)[:_MOST]
    rows = sorted(longest, key=lambda rule: float(rule.at(rule.middle)))
    vertical, new = rules.vertical, list[Rule]()
    sides_of: dict[int, list[Rule]] = {}
    for upper, lower in combinations(rows, 2):
        row = row_between(upper, lower, vertical, scale)
        sides = [] if row is None else _even_sides(row, dark)
        if row is not None and sides:
            known = {id(rule) for rule in row.vertical}
            vertical = [rule for rule in vertical if id(rule) not in known]
            new.extend(sides)
            sides_of.update({id(rule): [*sides_of.get(id(rule), []), *sides] for rule in (upper, lower)})
    return Rules([_up_to(rule, sides_of.get(id(rule))) for rule in rules.horizontal], [*vertical, *new])


def _up_to(rule: Rule, sides: Sequence[Rule] | None) -> Rule:
    """A horizontal side of a row of boxes, extended to its first and last vertical side."""
    if not sides:
        return rule
    x, _ = crossings([rule], sides)
    return replace(rule, start=float(x.min(initial=rule.start)), end=float(x.max(initial=rule.end)))


def _even_sides(row: BoxRow, dark: Grey) -> list[Rule]:
    """All vertical sides of a row; empty unless they have even places and ink shows at each of them."""
    gaps = np.array([second - first for first, second in combinations(row.places.tolist(), 2)])
    narrowest, widest = _NARROWEST * row.height, _WIDEST * row.height
    counts = np.arange(1, max(2, int(row.upper.length / narrowest) + 1))
    widths = np.unique(np.rint((gaps[:, None] / counts).ravel()))
    widths = widths[(widths >= narrowest) & (widths <= widest)]
    off = (row.places - row.places[0]) / widths[:, None]
    even = (np.abs(off - np.rint(off)) <= _ROUGHLY).all(axis=1)
    columns = cache(lambda: columns_of(row, dark))  # not computed if all sides are known
    for width in widths[even].tolist():
        known = _even(row, width)
        places = None if known is None else _all_places(row, known, columns)
        if places is not None:
            return _sides(row, places, dark)
    return []


def _even(row: BoxRow, width: float) -> dict[int, float] | None:
    """The places of the known sides by index, if they are evenly spaced at about this width; else None."""
    first = float(row.places[0])
    for _ in range(2):
        number = np.rint((row.places - first) / width)
        if not number.any() or np.abs(row.places - first - width * number).max() > _ROUGHLY * width:
            return None
        width, first = np.polyfit(number, row.places, 1).tolist()
    if np.abs(row.places - first - width * number).max() > STRAYS * width:
        return None
    apart = np.diff(row.places)[np.diff(number) == 0]
    if apart.max(initial=0.0) > max(rule.thickness for rule in row.vertical) + 1:
        return None  # two sides at one place, because the boxes have gaps between them
    return {int(k): float(row.places[number == k].mean()) for k in np.unique(number)}


def _all_places(row: BoxRow, known: dict[int, float], columns: Callable[[], Columns]) -> list[float] | None:
    """The places of all sides of a row, or None if one of them does not show.

    Each is searched from the one before, because perspective changes the width of boxes.
    """
    places = dict(known)
    width = (places[max(places)] - places[min(places)]) / (max(places) - min(places))
    lean = float(np.median(row.aside))
    upper, lower = row.upper, row.lower
    near = max(_ROUGHLY * width, upper.hidden, lower.hidden)
    for step, number, ends in (
        (1, min(places), (upper.end, lower.end - lean)),
        (-1, max(places), (upper.start, lower.start - lean)),
    ):
        while number + step in places or max((end - places[number]) * step for end in ends) >= width - near:
            if number + step not in places:
                found = columns().side_near(places[number] + step * width, width, known.values(), row)
                if found is None:
                    break
                places[number + step] = found
            number += step
        if min(abs(end - places[number]) for end in ends) > near:
            return None
    return [places[number] for number in sorted(places)]


def _sides(row: BoxRow, places: Sequence[float], dark: Grey) -> list[Rule]:
    """The vertical sides of a row at these places of its upper side."""
    thickness = min(
        float(np.median([rule.thickness for rule in row.vertical])),
        max(row.upper.thickness, row.lower.thickness),
    )
    covered, step = (
        float(np.median([getattr(rule, name) for rule in row.vertical])) for name in ("covered", "step")
    )
    dashed = any(rule.dashed for rule in row.vertical)
    sides = []
    for place, aside in zip(places, row.lean(np.array(places)).tolist(), strict=True):
        start, end = float(row.upper.at(place)), float(row.lower.at(place + aside))
        slope = aside / max(1.0, end - start)
        course = (0.0, slope, place - slope * start)
        sides.append(Rule(start, end, course, thickness, covered, dashed, step))
    return _straightened(sides, dark) if dashed else sides


def _straightened(sides: list[Rule], dark: Grey) -> list[Rule]:
    """Dashed sides moved to the middle of their dashes, except for sides that a nearby stroke would tilt."""
    top = int(max(0, min(side.start for side in sides)))
    bottom = int(max(side.end for side in sides)) + 1
    band = transposed(dark[top:bottom])  # much smaller than the picture
    middle = [_moved(side, top) for side in centred([_moved(side, -top) for side in sides], band)]
    turns = np.array([(new.slope - old.slope) * old.length for new, old in zip(middle, sides, strict=True)])
    off = np.abs(turns - np.median(turns))
    return [
        new if far <= old.thickness else old
        for new, old, far in zip(middle, sides, off.tolist(), strict=True)
    ]


def _moved(rule: Rule, far: int) -> Rule:
    """A rule moved along its own direction by `far` pixels."""
    square, slope, offset = rule.course
    course = (square, slope - 2 * square * far, offset - slope * far + square * far**2)
    return replace(rule, start=rule.start + far, end=rule.end + far, course=course)
