"""Turns logits into probabilities without overflow, and digits' probabilities into a number's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_TEMPERATURE = 1.6  # of the confidence of a number with all its digits: see `all_right`


def softmax(logits: Floats) -> Floats:
    """Probabilities (n, k) for logits (n, k); each row sums to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return np.asarray(raised, np.float32)


def log_sum_exp(logits: Floats) -> Floats:
    """The logarithm of the sum of the exponentials of each row: (n,) for logits (n, k)."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), np.float32)


def all_right(confidences: Sequence[float]) -> float:
    """The probability that a number is read correctly, 0..1, from the probabilities of its digits.

    Their product is overconfident, because it does not account for digits that were cut, joined or missed.
    Therefore its log odds are divided by a temperature (Guo et al., arXiv 1706.04599), which was fitted to
    numbers on papers written with validation digits. `evaluate` reports the calibration error that remains
    (`number_calibration_error`).
    """
    product = float(np.prod(confidences))
    right, wrong = math.pow(product, 1 / _TEMPERATURE), math.pow(1 - product, 1 / _TEMPERATURE)
    return right / (right + wrong)
