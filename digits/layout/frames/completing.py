"""Extends the rules of a frame that were found only in part, to their neighbours or as far as ink shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, transposed
from digits.layout.frames.faint_rules import FAINTEST
from digits.layout.frames.lattice import MANY, crossings, lie_on, usual_gap
from digits.layout.rules.courses import ASIDE, levels_at
from digits.layout.rules.rule import Rule

_NEAR = 6  # tolerance of crossings, in pixels
_FREE = 0.3  # greatest extension of a rule with few crossings, relative to their distance
_STEP = 1.6  # the same for a rule with many crossings
_AS_DARK = 0.5  # least darkness of an extension, relative to the rule where it was found
_WHOLE = 0.8  # share of ink below which a solid rule is only the stems of letters in a line
_STRAYS = 2  # tolerance of an extended rule's place, in pixels
_BESIDE = np.linspace(0.12, 0.3, 10)  # places with little writing, relative to the crossings' distance
_SHORT_OF = 0.12  # distance from a rule's end to a crossing that it should reach, relative to its length


def extended(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules of frames, with loose ends extended to the next crossing if it is near or they have many."""
    x, y = crossings(horizontal, vertical)
    thick = max((rule.thickness for rule in (*horizontal, *vertical)), default=0.0)
    # A rule can only be extended to crossings that are on the other rule.
    on_vertical = lie_on(vertical, y.T, np.full((len(vertical), 1), _NEAR + thick)).T
    on_horizontal = lie_on(horizontal, x, np.full((len(horizontal), 1), _NEAR + thick))
    return (
        [_extended(rule, x[k][on_vertical[k]], thick) for k, rule in enumerate(horizontal)],
        [_extended(rule, y[:, k][on_horizontal[:, k]], thick) for k, rule in enumerate(vertical)],
    )


def extended_in_ink(
    horizontal: list[Rule], vertical: list[Rule], dark: Grey
) -> tuple[list[Rule], list[Rule]]:
    """The rules of a grid that seem to end at crossings, extended as far as they show in `dark`."""
    x, y = crossings(horizontal, vertical)
    thick = max((rule.thickness for rule in (*horizontal, *vertical)), default=0.0)
    on_vertical = lie_on(vertical, y.T, np.full((len(vertical), 1), _NEAR + thick)).T
    on_horizontal = lie_on(horizontal, x, np.full((len(horizontal), 1), _NEAR + thick))
    on_its_side = transposed(dark)
    return (
        [_extended_in_ink(rule, x[k][on_vertical[k]], thick, dark) for k, rule in enumerate(horizontal)],
        [
            _extended_in_ink(rule, y[:, k][on_horizontal[:, k]], thick, on_its_side)
            for k, rule in enumerate(vertical)
        ],
    )


def _extended_in_ink(rule: Rule, places: NDArray[np.float64], thick: float, dark: Grey) -> Rule:
    """A horizontal rule with many crossings, extended as far as it shows near rules that it should cross."""
    near = _NEAR + thick
    places = np.sort(places)
    on = (places >= rule.start - near) & (places <= rule.end + near)
    if np.count_nonzero(on) < MANY:
        return rule
    met, step = places[on], _STEP * usual_gap(places[on])
    least = max(FAINTEST, _AS_DARK * _ridge(rule, met, dark))
    start, end = rule.start, rule.end
    before = np.append(places[places < met[0]], met[0])[::-1]
    after = np.insert(places[places > met[-1]], 0, met[-1])
    for way in (before, after):
        # Writing may hide the rule in one cell. The rule reaches the last cell in which it shows, if it also
        # shows on the whole.
        steps = np.abs(np.diff(way)) <= step
        reached = len(steps) if steps.all() else int(np.argmin(steps))
        while (
            reached
            and min(
                _ridge(rule, np.sort(some), dark)
                for some in (way[: reached + 1], way[reached - 1 : reached + 1])
            )
            < least
        ):
            reached -= 1
        start, end = min(start, float(way[reached])), max(end, float(way[reached]))
    return rule if (start, end) == (rule.start, rule.end) else replace(rule, start=start, end=end)


def _ridge(rule: Rule, crossed: NDArray[np.float64], dark: Grey) -> float:
    """How much darker a horizontal rule is than both of its sides, near the rules that cross it here."""
    ways = np.diff(crossed)[:, None]
    along = (crossed[:-1, None] + ways * np.concatenate([_BESIDE, 1 - _BESIDE])).reshape(-1, 1)
    reach = int(rule.thickness / 2) + ASIDE + _STRAYS
    offsets = np.arange(-reach, reach + 1)
    levels = np.median(levels_at(dark, along, np.rint(rule.at(along)) + offsets), axis=0)
    left, middle, right = np.split(levels, [reach - _STRAYS, reach + _STRAYS + 1])
    return float(middle.max()) - max(float(left.min()), float(right.min()))


def _extended(rule: Rule, places: NDArray[np.float64], thick: float) -> Rule:
    """The rule, extended to the last of these crossings that it reaches."""
    if rule.covered < _WHOLE and not rule.dashed:
        return rule
    near = max(_NEAR + thick, _SHORT_OF * rule.length, rule.hidden)
    met = np.sort(places[(places >= rule.start - near) & (places <= rule.end + near)])
    if len(met) < 2:
        return rule
    usual = usual_gap(met)
    step = (_STEP if len(met) >= MANY else _FREE) * usual
    start, end = min(rule.start, float(met[0])), max(rule.end, float(met[-1]))
    if met[0] - start > near:
        start = _last_reached(start, -np.sort(-places[places < start]), step)
    if end - met[-1] > near:
        end = _last_reached(end, np.sort(places[places > end]), step)
    return replace(rule, start=start, end=end)


def _last_reached(end: float, places: NDArray[np.float64], step: float) -> float:
    """The last of these places, from the nearest, that is at most one step from the place before it."""
    for place in places.tolist():
        if abs(place - end) > step:
            break
        end = place
    return end
