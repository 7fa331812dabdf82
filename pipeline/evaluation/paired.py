"""Paired comparisons of two models on the very same pictures: what luck alone explains.

Pictures drawn with one digit vary together, so a source digit and not a picture is what is drawn by chance.
"""

# Why it is so: docs/decisions/promotion.md
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
    """What a model scored on n pictures, higher is better: `score` (n,), and what each counts: `weight` (n,).

    `source` (n,) says which digit of the split each was drawn with: pictures of one source vary together.
    Negative sources are those of pictures with no digit of the split, or with many.
    """

    score: NDArray[np.float64]
    weight: NDArray[np.float64]
    source: NDArray[np.intp]

    @property
    def mean(self) -> float:
        return float((self.score * self.weight).sum() / self.weight.sum())

    @property
    def shares(self) -> NDArray[np.float64]:
        """The weights (n,) so that they sum to 1."""
        return np.asarray(self.weight / self.weight.sum(), np.float64)


class Confidences(NamedTuple):
    """How sure a model was of n answers (n,), and whether each was right (n,)."""

    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def error(self) -> float:
        """The expected calibration error, 0..1."""
        return expected_calibration_error(self.confidence, self.right)


def differences(candidate: Scored, rival: Scored) -> NDArray[np.float64]:
    """What each source digit adds to the difference of two means; those that add nothing left out."""
    return by_source(candidate.shares * (candidate.score - rival.score), candidate.source)


def by_source(parts: NDArray[np.float64], source: NDArray[np.intp]) -> NDArray[np.float64]:
    """The sum of what the pictures (n,) of each source add, where it is not 0."""
    _, place = np.unique(source, return_inverse=True)
    sums = np.bincount(place, parts)
    return np.asarray(sums[np.abs(sums) > np.finfo(np.float64).eps], np.float64)


def p_greater(differences: NDArray[np.float64], seed: int) -> tuple[float, NDArray[np.float64]]:
    """The chance of so large a sum where either model may as well have been the better one at each source.

    With it the sums of the random signs (resamples,).
    """
    if not len(differences):
        return 1.0, np.zeros(0)
    if len(differences) == 1:
        differences = np.append(differences, 0.0)  # which changes no sum: scipy asks for two
    # Exact where there are few; scipy counts the observed one among the others (Phipson and Smyth, 2010).
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
    """The chance of so many more right where pictures were chosen since the rival misreads them.

    Another training reads some of another's mistakes right merely by being another: `churn` is that share.
    What the candidate loses elsewhere counts against what it gains. The scores are shares of a picture: more
    than half is right.
    """
    own, other = candidate.score > _HALF, rival.score > _HALF
    gained = int((own & ~other).sum()) - int((~own & other).sum())
    return float(binom.sf(gained - 1, int((~other).sum()), churn))


def churn(candidate: Scored, rival: Scored) -> tuple[int, int]:
    """How many pictures the rival misreads, and how many of these the candidate reads right."""
    misread = rival.score <= _HALF
    return int(misread.sum()), int((misread & (candidate.score > _HALF)).sum())


def p_less(differences: NDArray[np.float64], seed: int) -> float:
    """The chance of so small a sum, as `p_greater`."""
    return p_greater(-differences, seed)[0]


def _sum(values: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    return np.asarray(values.sum(axis=axis))


def interval(differences: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The 95 % interval of the sum, sources drawn again and again (bootstrap)."""
    if not len(differences):
        return 0.0, 0.0
    rng = np.random.default_rng(seed)
    # Sources without a difference add nothing: how many of the others are drawn is Poisson's.
    times = rng.poisson(1.0, (_BOOTSTRAPS, len(differences)))
    low, high = np.quantile(times @ differences, _TAILS)
    return float(low), float(high)


def p_worse_calibrated(candidate: Confidences, rival: Confidences, seed: int) -> float:
    """The chance of a calibration error as much larger, each answer being either model's by chance."""
    own, other = _gaps(candidate), _gaps(rival)
    rng = np.random.default_rng(seed)
    swapped = rng.integers(0, 2, (_RESAMPLES // 10, len(own))).astype(np.float32)
    moved = swapped @ (other - own)  # what the candidate's bins gain, and the rival's lose
    by_chance = _error(own.sum(axis=0) + moved) - _error(other.sum(axis=0) - moved)
    observed = _error(own.sum(axis=0)) - _error(other.sum(axis=0))
    as_large = int((by_chance >= observed - np.finfo(np.float32).eps * len(own)).sum())
    return (1 + as_large) / (1 + len(by_chance))


def _gaps(told: Confidences) -> NDArray[np.float32]:
    """By how much each answer (n,) makes its bin of confidence (n, bins) right more often than it says."""
    bin_of = np.minimum((told.confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.zeros((len(bin_of), CALIBRATION_BINS), np.float32)
    gaps[np.arange(len(bin_of)), bin_of] = told.right - told.confidence
    return gaps


def _error(gaps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The calibration error of bins (..., bins), not yet divided by the number of answers."""
    return np.asarray(np.abs(gaps).sum(axis=-1), np.float32)
