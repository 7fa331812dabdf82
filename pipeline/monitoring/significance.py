"""Chi-squared tests for drift, with Holm's correction for multiple tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import chi2, chi2_contingency

from traffic.drift import LEAST_DISTANCE, Comparison, most_tests


def critical_values(level: float) -> list[list[float]]:
    """Return the critical values of chi-squared for `Reference.critical`.

    Row f - 1 has f degrees of freedom, and column t - 1 divides `level` by t, for every possible f and t.
    """
    freedom, tests = most_tests()
    values = chi2.isf(level / np.arange(1, tests + 1), np.arange(1, freedom + 1)[:, None])
    return [[float(value) for value in row] for row in values]


def adjusted(found: Sequence[Comparison]) -> list[float]:
    """Return the p-value of each comparison, corrected for the number of comparisons (Holm, 1979)."""
    plain = np.array([_probability(one) for one in found])
    order = np.argsort(plain)
    corrected = np.maximum.accumulate(plain[order] * np.arange(len(plain), 0, -1))
    values = np.empty(len(plain))
    values[order] = np.minimum(corrected, 1)
    return [float(value) for value in values]


def judged(found: Sequence[Comparison], level: float) -> list[tuple[Comparison, float]]:
    """Return the comparisons with `drifted` set for a significance level, each with its corrected p-value."""
    return [
        (replace(one, drifted=p <= level and one.distance >= LEAST_DISTANCE), p)
        for one, p in zip(found, adjusted(found), strict=True)
    ]


def _probability(one: Comparison) -> float:
    return float(chi2_contingency(one.table, correction=False).pvalue) if one.freedom else 1.0
