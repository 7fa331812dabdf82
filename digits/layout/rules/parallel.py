"""Removes rules that lean differently from the others of their direction, because they are pen strokes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.rule import Rule

_PARALLEL = float(np.tan(np.deg2rad(5)))  # greatest difference in slope between neighbouring rules
_ROUNDS = 8  # rounds of least squares, in which outliers get less and less weight


def parallel(rules: list[Rule]) -> list[Rule]:
    """The rules with the same slope as the long rules near them.

    In perspective, the slope of parallel rules changes linearly with their place across the picture.
    """
    if len(rules) < 3:
        return rules
    lengths = np.array([rule.length for rule in rules])
    slopes = np.array([rule.slope for rule in rules])
    across = np.array([rule.at(rule.middle) for rule in rules])
    lean = np.full(len(rules), weighted_median(slopes, lengths))
    for most in (4 * _PARALLEL, 2 * _PARALLEL, _PARALLEL):
        near = np.abs(slopes - lean) < most
        if near.sum() < 2 or np.ptp(across[near]) < 1:
            break
        lean = _line_of_most(across[near], slopes[near], lengths[near], across)
    return [rule for rule, off in zip(rules, np.abs(slopes - lean), strict=True) if off < _PARALLEL]


def _line_of_most(
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    wanted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The values, at the wanted places, of the line with the least sum of absolute deviations.

    A least squares fit would be tilted by a few long pen strokes with another slope.
    """
    far = np.ones_like(values)
    for _ in range(_ROUNDS):
        line = np.polyfit(places, values, 1, w=np.sqrt(weights / far))
        far = np.maximum(np.abs(np.polyval(line, places) - values), 1e-6)
    return np.asarray(np.polyval(line, wanted), np.float64)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value up to which half of the weight is reached."""
    order = np.argsort(values)
    half = np.searchsorted(weights[order].cumsum(), weights.sum() / 2)
    return float(values[order][half])
