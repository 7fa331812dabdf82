"""Calibration on the validation split after training: the temperature and the rejection threshold."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digits.network.probabilities import log_sum_exp

Floats = NDArray[np.float32]


def cross_entropy(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """Return the mean of -log p(label) for logits (n, k) and labels (n,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - log_sum_exp(shifted)[:, None]
    return -float(log_probabilities[np.arange(len(labels)), labels].mean())


def temperature(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """Return the divisor of the logits, 0.2 to 5, with the least cross entropy (arXiv 1706.04599)."""
    candidates = np.geomspace(0.2, 5.0, 161)
    losses = [cross_entropy(logits / np.float32(t), labels) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def rejection_threshold(usual: Floats, false_rejects: float, others: Iterable[Floats] = ()) -> float:
    """Return the rejection score above which a mark is rejected as not a digit.

    At most the share `false_rejects` of the `usual` digits' scores (n,) is above the threshold, and at most
    twice that share of each array of `others`. Those are smaller sources of digits, which the usual digits
    would outnumber in a common quantile.
    """
    limits = [float(np.quantile(scores, 1 - 2 * false_rejects)) for scores in others if len(scores)]
    return max(float(np.quantile(usual, 1 - false_rejects)), *limits, -np.inf)
