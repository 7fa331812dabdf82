"""95 % confidence intervals of metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from pipeline.evaluation.metrics import auroc

Interval = tuple[float, float]

_RESAMPLES = 200
_TAILS = (0.025, 0.975)
_DEVIATIONS = 1.96  # standard deviations on each side that contain 95 % of a normal distribution


def of_share(right: NDArray[np.bool_]) -> Interval:
    """Return Wilson's interval (1927) of the share of `right` (n,) that is true; 0 to 1 if n is 0."""
    if not len(right):
        return (0.0, 1.0)
    found = binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
    return (float(found.low), float(found.high))


def resampled(figure: Callable[[NDArray[np.intp]], float], count: int, seed: int) -> Interval:
    """Return the bootstrap percentile interval (Efron, 1979) of a metric of `count` pictures.

    `figure` computes the metric from the indices of pictures, some of which are repeated.
    """
    rng = np.random.default_rng(seed)
    return _tails([figure(rng.integers(0, count, count)) for _ in range(_RESAMPLES)] if count else [0.0, 1.0])


def of_auroc(digits: NDArray[np.float32], others: NDArray[np.float32]) -> Interval:
    """Return Hanley and McNeil's interval (1982) of the AUROC of scores of digits (n,) and others (m,)."""
    area = auroc(digits, others)
    n, m = len(digits), len(others)
    pairs = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (pairs[0] - area**2) + (n - 1) * (pairs[1] - area**2)
    half = _DEVIATIONS * math.sqrt(max(0.0, variance) / (n * m))
    return (max(0.0, area - half), min(1.0, area + half))


def _tails(found: Sequence[float]) -> Interval:
    low, high = np.quantile(found, _TAILS)
    return (float(low), float(high))
