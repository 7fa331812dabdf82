"""What is set on validation after a training: the temperature, and where "not a digit" begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.network.probabilities import log_sum_exp

Floats = NDArray[np.float32]


def cross_entropy(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """The mean of -log p(truth), for logits (n, k) and labels (n,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - log_sum_exp(shifted)[:, None]
    return -float(log_probabilities[np.arange(len(labels)), labels].mean())


def temperature(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """The divisor of the logits with the least cross entropy, 0.2 to 5 (Guo et al., arXiv 1706.04599)."""
    candidates = np.geomspace(0.2, 5.0, 161)
    losses = [cross_entropy(logits / np.float32(t), labels) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def rejection_threshold(scores: Floats, false_rejects: float) -> float:
    """The rejection score above which the share `false_rejects` of these digits' scores (n,) lies."""
    return float(np.quantile(scores, 1 - false_rejects))
