"""From logits to probabilities, without overflow; and from digits to numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_TEMPERATURE = 1.6  # of numbers, as opposed to digits: see `all_right`


def softmax(logits: Floats) -> Floats:
    """(n, k) logits to (n, k) probabilities; each row sums to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    raised /= raised.sum(axis=1, keepdims=True)
    return np.asarray(raised, np.float32)


def log_sum_exp(logits: Floats) -> Floats:
    """(n, k) logits to (n,): the logarithm of the sum of their exponentials."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)), np.float32)


def all_right(confidences: Sequence[float]) -> float:
    """The probability that a number is read right, 0..1, from those of its digits.

    Their product is too sure: it does not know of digits that were cut, joined or missed. Its log odds are
    divided by a temperature (Guo et al., arXiv 1706.04599), the likeliest one for numbers on papers that are
    written with validation digits. `evaluate` reports what is left (`number_calibration_error`).
    """
    product = float(np.prod(confidences))
    right, wrong = math.pow(product, 1 / _TEMPERATURE), math.pow(1 - product, 1 / _TEMPERATURE)
    return right / (right + wrong)
