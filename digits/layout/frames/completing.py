"""Draws on the rules of a frame that were found in part, as far as the others go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digits.layout.frames.lattice import crossings, usual_gap, within
from digits.layout.rules.rule import Rule

_NEAR = 6  # pixels
_MANY = 3  # crossings
_FREE = 0.3  # of the way between two crossings: a rule that meets few is drawn on so far
_STEP = 1.6  # times that way: a rule that meets many
_SHORT_OF = 0.12  # of its length: so near to a rule's end it meets another


def completed(lying: Sequence[Rule], standing: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules of frames, those that end freely drawn on: to the next that they meet, many or near."""
    x, y = crossings(lying, standing)
    thick = max((rule.thickness for rule in (*lying, *standing)), default=0.0)
    # A rule reaches the crossings that lie on the other rule.
    on_standing = within(standing, y.T, np.full((len(standing), 1), _NEAR + thick)).T
    on_lying = within(lying, x, np.full((len(lying), 1), _NEAR + thick))
    return (
        [_drawn_on(rule, x[k][on_standing[k]], thick) for k, rule in enumerate(lying)],
        [_drawn_on(rule, y[:, k][on_lying[:, k]], thick) for k, rule in enumerate(standing)],
    )


def _drawn_on(rule: Rule, places: NDArray[np.float64], thick: float) -> Rule:
    """The rule as far as the last of these crossings to which it goes on."""
    near = max(_NEAR + thick, _SHORT_OF * rule.length, rule.hidden)
    met = np.sort(places[(places >= rule.start - near) & (places <= rule.end + near)])
    if len(met) < 2:
        return rule
    usual = usual_gap(met)
    step = (_STEP if len(met) >= _MANY else _FREE) * usual
    start, end = min(rule.start, float(met[0])), max(rule.end, float(met[-1]))
    if met[0] - start > near:
        start = _last_reached(start, -np.sort(-places[places < start]), step)
    if end - met[-1] > near:
        end = _last_reached(end, np.sort(places[places > end]), step)
    return replace(rule, start=start, end=end)


def _last_reached(end: float, places: NDArray[np.float64], step: float) -> float:
    """The last of these places, nearest first, that is no further than a step from the one before."""
    for place in places.tolist():
        if abs(place - end) > step:
            break
        end = place
    return end
