"""How likely chance alone makes a window so different: chi-squared tests, corrected by Holm's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import chi2, chi2_contingency

from traffic.drift import LEAST_DISTANCE, Comparison, most_tests


def critical_values(level: float) -> list[list[float]]:
    """What `Reference.critical` holds for this level, for as many tests as there can be."""
    freedom, tests = most_tests()
    values = chi2.isf(level / np.arange(1, tests + 1), np.arange(1, freedom + 1)[:, None])
    return [[float(value) for value in row] for row in values]


def adjusted(found: Sequence[Comparison]) -> list[float]:
    """The probability of each comparison without drift, corrected for how many there are (Holm, 1979)."""
    plain = np.array([_probability(one) for one in found])
    order = np.argsort(plain)
    corrected = np.maximum.accumulate(plain[order] * np.arange(len(plain), 0, -1))
    values = np.empty(len(plain))
    values[order] = np.minimum(corrected, 1)
    return [float(value) for value in values]


def judged(found: Sequence[Comparison], level: float) -> list[tuple[Comparison, float]]:
    """The comparisons with `drifted` set for a level, each with its corrected probability."""
    return [
        (replace(one, drifted=p <= level and one.distance >= LEAST_DISTANCE), p)
        for one, p in zip(found, adjusted(found), strict=True)
    ]


def _probability(one: Comparison) -> float:
    return float(chi2_contingency(one.table, correction=False).pvalue) if one.freedom else 1.0
