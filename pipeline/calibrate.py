"""What makes the network's numbers mean something: temperature and calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def log_softmax(logits: Floats) -> Floats:
    """(n, k) logits to (n, k) log probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float32)


def cross_entropy(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """The mean of -log p(truth)."""
    return -float(log_softmax(logits)[np.arange(len(labels)), labels].mean())


def temperature(logits: Floats, labels: NDArray[np.uint8]) -> float:
    """The divisor of the logits with the least cross entropy, 0.2 to 5 (Guo et al., arXiv 1706.04599)."""
    candidates = np.geomspace(0.2, 5.0, 161)
    losses = [cross_entropy(logits / np.float32(t), labels) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """How far confidence and accuracy are apart, 0..1, over bins of equal width, by their share.

    0 where there are no answers.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float((right[bin_of == b] - confidence[bin_of == b]).sum())) for b in range(bins)]
    return sum(gaps) / max(1, len(right))
