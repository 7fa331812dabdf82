"""From logits to probabilities, without overflow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def softmax(logits: Floats) -> Floats:
    """(n, k) logits to (n, k) probabilities; each row sums to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return np.asarray(raised, np.float32)


def log_sum_exp(logits: Floats) -> Floats:
    """(n, k) logits to (n,): the logarithm of the sum of their exponentials."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), np.float32)
