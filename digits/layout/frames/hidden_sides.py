"""Finds the outer sides of rows of boxes that writing crosses so often that they have no long edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from digits.layout.rules.rule import Mask, Rule, Rules
from digits.layout.rules.scale import Scale

_JOINING = 3  # least number of vertical rules that join two horizontal ones, which are then sides of boxes
_INKED = 0.7  # least share of a hidden side with ink, its own or that of the writing
_AS_GOOD = 0.02  # a difference of this share in ink does not matter
_MOST = 40  # number of the longest horizontal rules that are examined


class _Joined(NamedTuple):
    """Two horizontal rules, and the vertical ones that go from one to the other, from the left."""

    upper: Rule
    lower: Rule
    vertical: list[Rule]


def with_hidden_sides(rules: Rules, mask: Mask, scale: Scale) -> Rules:
    """The rules, and the vertical ones that close rows of boxes at the ends of two horizontal rules."""
    longest = sorted(rules.horizontal, key=lambda rule: -rule.length)[:_MOST]
    rows = sorted(longest, key=lambda rule: float(rule.at(rule.middle)))
    closing = []
    for upper, lower in combinations(rows, 2):
        joined = _joined(upper, lower, rules.vertical, scale)
        if len(joined.vertical) >= _JOINING:
            closing.extend(_closing(joined, mask, scale))
    return Rules(rules.horizontal, [*rules.vertical, *closing])


def _joined(upper: Rule, lower: Rule, vertical: Sequence[Rule], scale: Scale) -> _Joined:
    near = 0.5 * (scale.stroke + max(upper.thickness, lower.thickness)) + 3
    between = [
        rule
        for rule in vertical
        if _ends_at(upper, rule.start, float(rule.at(rule.start)), near)
        and _ends_at(lower, rule.end, float(rule.at(rule.end)), near)
    ]
    return _Joined(upper, lower, sorted(between, key=lambda rule: float(rule.at(rule.middle))))


def _ends_at(line: Rule, end: float, place: float, near: float) -> bool:
    return line.start - near <= place <= line.end + near and abs(float(line.at(place)) - end) <= near


def _closing(joined: _Joined, mask: Mask, scale: Scale) -> list[Rule]:
    """The sides at the ends of two joined rules that end alike, where no side was found and ink shows."""
    upper, lower, vertical = joined
    found = []
    near = scale.stroke + max(upper.thickness, lower.thickness) + 2
    for top, bottom, next_to in (
        (upper.start, lower.start, vertical[0]),
        (upper.end, lower.end, vertical[-1]),
    ):
        start, end = float(upper.at(top)), float(lower.at(bottom))
        lean = next_to.slope * (end - start)
        if abs(top + lean - bottom) > 2 * near or abs(float(next_to.at(next_to.start)) - top) <= 2 * near:
            continue
        side = _most_inked((start, top), (end, bottom), int(near), mask)
        if side is not None:
            found.append(replace(side, thickness=next_to.thickness))
    return found


def _most_inked(start: tuple[float, float], end: tuple[float, float], near: int, mask: Mask) -> Rule | None:
    """The vertical line with the most ink whose ends are within `near` of these; None without enough ink."""
    y = np.arange(max(0, int(start[0])), min(len(mask), int(end[0]) + 1))
    if len(y) < 2:
        return None
    share = (y - y[0]) / (y[-1] - y[0])
    aside = np.arange(-near, near + 1)
    first, last = np.meshgrid(start[1] + aside, end[1] + aside)
    x = first[..., None] + (last - first)[..., None] * share
    columns = np.clip(np.rint(x).astype(int), 0, mask.shape[1] - 1)
    inked = mask[y, columns].mean(axis=2)
    most = float(inked.max())
    if most < _INKED:
        return None
    # A thick line has many equally good courses. The right one is in the middle.
    good = inked >= most - _AS_GOOD
    top, bottom = float(first[good].mean()), float(last[good].mean())
    slope = (bottom - top) / float(y[-1] - y[0])
    return Rule(start[0], end[0], (0.0, slope, top - slope * float(y[0])), 1.0, 1.0)
