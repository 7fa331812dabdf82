"""Paired significance tests of two models on the same pictures.

Pictures drawn with the same digit are correlated, so the tests resample source digits and not pictures.
"""

# See docs/decisions/promotion.md.
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, permutation_test

from pipeline.evaluation.metrics import CALIBRATION_BINS, expected_calibration_error

_RESAMPLES = 9999
_BOOTSTRAPS = 2000
_TAILS = (0.025, 0.975)
_HALF = 0.5


class Scored(NamedTuple):
    """A model's scores on n pictures, higher is better, and the weights of the pictures, both (n,).

    `source` (n,) is the index of the digit of the split that a picture was drawn with. Pictures with the same
    source are correlated. Pictures with none or many of the split's digits have distinct negative sources.
    """

    score: NDArray[np.float64]
    weight: NDArray[np.float64]
    source: NDArray[np.intp]

    @property
    def mean(self) -> float:
        return float((self.score * self.weight).sum() / self.weight.sum())

    @property
    def shares(self) -> NDArray[np.float64]:
        """The weights (n,), normalised to sum to 1."""
        return np.asarray(self.weight / self.weight.sum(), np.float64)


class Confidences(NamedTuple):
    """The confidence (n,) of a model's answers, and whether each was right (n,)."""

    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def error(self) -> float:
        """The expected calibration error, 0..1."""
        return expected_calibration_error(self.confidence, self.right)


def differences(candidate: Scored, rival: Scored) -> NDArray[np.float64]:
    """Return the contribution of each source digit to the difference of two means, without zeros."""
    return by_source(candidate.shares * (candidate.score - rival.score), candidate.source)


def by_source(parts: NDArray[np.float64], source: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sums of `parts` (n,) by source that are not 0."""
    _, place = np.unique(source, return_inverse=True)
    sums = np.bincount(place, parts)
    return np.asarray(sums[np.abs(sums) > np.finfo(np.float64).eps], np.float64)


def p_greater(differences: NDArray[np.float64], seed: int) -> tuple[float, NDArray[np.float64]]:
    """Return the p-value of a sum this large under random signs, and all sums under random signs (m,).

    Under the null hypothesis, either model is equally likely to be the better one on each source.
    """
    if not len(differences):
        return 1.0, np.zeros(0)
    if len(differences) == 1:
        differences = np.append(differences, 0.0)  # does not change the sum, but scipy needs two values
    # Exact for few values; scipy includes the observed sum in the distribution (Phipson and Smyth, 2010).
    found = permutation_test(
        (differences,),
        _sum,
        permutation_type="samples",
        alternative="greater",
        n_resamples=_RESAMPLES,
        batch=500,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue), np.asarray(found.null_distribution, np.float64)


def p_by_churn(candidate: Scored, rival: Scored, churn: float) -> float:
    """Return the p-value of the gain on pictures that were chosen because the rival misreads them.

    Any other model reads the share `churn` of a model's mistakes correctly by chance. Pictures that only the
    rival reads correctly reduce the gain. A picture is read correctly if its score is more than 0.5.
    """
    own, other = candidate.score > _HALF, rival.score > _HALF
    gained = int((own & ~other).sum()) - int((~own & other).sum())
    return float(binom.sf(gained - 1, int((~other).sum()), churn))


def churn(candidate: Scored, rival: Scored) -> tuple[int, int]:
    """Return how many pictures the rival misreads, and how many of these the candidate reads correctly."""
    misread = rival.score <= _HALF
    return int(misread.sum()), int((misread & (candidate.score > _HALF)).sum())


def p_less(differences: NDArray[np.float64], seed: int) -> float:
    """Return the p-value of a sum this small, as in `p_greater`."""
    return p_greater(-differences, seed)[0]


def _sum(values: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    return np.asarray(values.sum(axis=axis))


def interval(differences: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the sum, resampling sources."""
    if not len(differences):
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    # The sources without a difference are left out, so the counts of the others are Poisson distributed.
    times = rng.poisson(1.0, (_BOOTSTRAPS, len(differences)))
    low, high = np.quantile(times @ differences, _TAILS)
    return float(low), float(high)


def p_worse_calibrated(candidate: Confidences, rival: Confidences, seed: int) -> float:
    """Return the p-value of a calibration error this much larger, by random swaps of the models' answers."""
    own, other = _gaps(candidate), _gaps(rival)
    rng = np.random.default_rng(seed)
    swapped = rng.integers(0, 2, (_RESAMPLES // 10, len(own))).astype(np.float32)
    moved = swapped @ (other - own)  # the candidate's bins gain this, and the rival's bins lose it
    by_chance = _error(own.sum(axis=0) + moved) - _error(other.sum(axis=0) - moved)
    observed = _error(own.sum(axis=0)) - _error(other.sum(axis=0))
    as_large = int((by_chance >= observed - np.finfo(np.float32).eps * len(own)).sum())
    return (1 + as_large) / (1 + len(by_chance))


def _gaps(told: Confidences) -> NDArray[np.float32]:
    """Return right minus confidence (n, bins): each in the column of its bin of confidence, 0 elsewhere."""
    bin_of = np.minimum((told.confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.zeros((len(bin_of), CALIBRATION_BINS), np.float32)
    gaps[np.arange(len(bin_of)), bin_of] = told.right - told.confidence
    return gaps


def _error(gaps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the calibration error of gaps (..., bins), not divided by the number of answers."""
    return np.asarray(np.abs(gaps).sum(axis=-1), np.float32)
