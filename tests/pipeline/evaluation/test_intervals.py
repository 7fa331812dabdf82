"""Intervals contain the true value about as often as they promise."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.evaluation.intervals import of_auroc, of_share, resampled


def test_of_share_is_wilsons() -> None:
    assert of_share(np.arange(100) < 95) == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert of_share(np.ones(10, bool))[1] == pytest.approx(1.0)
    assert of_share(np.zeros(0, bool)) == (0.0, 1.0)


def test_resampled_covers_a_mean_in_most_of_many_trials() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for number in range(100):
        drawn = rng.normal(3, 1, 200)
        low, high = resampled(partial(_mean, drawn), 200, seed=number)
        covered += low <= 3 <= high
    assert 85 <= covered <= 99


def test_of_auroc_covers_the_true_area_in_most_of_many_trials() -> None:
    rng = np.random.default_rng(2)
    true = 0.9214  # of normal distributions two standard deviations apart
    covered = 0
    for _ in range(100):
        digits, others = rng.normal(0, 1, 300), rng.normal(2, 1, 100)
        low, high = of_auroc(digits.astype(np.float32), others.astype(np.float32))
        covered += low <= true <= high
    assert 85 <= covered <= 100
    assert of_auroc(np.array([-1.0], np.float32), np.array([1.0], np.float32)) == (1.0, 1.0)


def _mean(values: NDArray[np.float64], some: NDArray[np.intp]) -> float:
    return float(values[some].mean())
