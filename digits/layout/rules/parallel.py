"""Rules of one direction lean alike: what leans otherwise is a stroke of a pen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.layout.rules.rule import Rule

_PARALLEL = float(np.tan(np.deg2rad(5)))  # rules of one direction that are near each other lean no more apart
_ROUNDS = 8  # of least squares, in which what strays weighs less and less


def parallel(rules: list[Rule]) -> list[Rule]:
    """Rules that lean as the long ones near them do.

    Perspective makes parallel rules lean the more the further they are from the middle: by a straight line.
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
    """The values at the wanted places of the line from which all stray least in sum.

    Least squares would turn it towards a few long strokes of a pen that lean otherwise.
    """
    far = np.ones_like(values)
    for _ in range(_ROUNDS):
        line = np.polyfit(places, values, 1, w=np.sqrt(weights / far))
        far = np.maximum(np.abs(np.polyval(line, places) - values), 1e-6)
    return np.asarray(np.polyval(line, wanted), np.float64)


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value up to which half of the weight lies."""
    order = np.argsort(values)
    half = np.searchsorted(weights[order].cumsum(), weights.sum() / 2)
    return float(values[order][half])
