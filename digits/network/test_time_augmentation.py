"""Test-time augmentation: a network's logits for doubtful marks, averaged over rotated views."""

# See docs/decisions/confidence.md.
from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import FIELD

Floats = NDArray[np.float32]

_MIDDLE = ((FIELD - 1) / 2, (FIELD - 1) / 2)
_SURE = 3.0  # above this difference between the two highest logits, no view ever changed the answer


def averaged(network: Callable[[Floats], Floats], batch: Floats, turns: Sequence[float]) -> Floats:
    """Logits (n, k) for marks (n, 28, 28, 1), averaged over several views for doubtful marks.

    The views are the mark as it is and rotated by each of `turns`, in degrees. A mark is doubtful if its two
    highest logits are close together. Only five to ten percent of digits are doubtful, and the others take no
    more time.
    """
    logits = network(batch)
    if not turns:
        return logits
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    doubtful = first - second < _SURE
    if doubtful.any():
        views = np.concatenate([_rotated(batch[doubtful], degrees) for degrees in turns])
        rotated = network(views).reshape(len(turns), -1, logits.shape[1])
        logits[doubtful] = (logits[doubtful] + rotated.sum(axis=0)) / (1 + len(turns))
    return logits


def _rotated(batch: Floats, degrees: float) -> Floats:
    matrix = cv2.getRotationMatrix2D(_MIDDLE, degrees, 1.0)
    rotated = np.empty_like(batch)
    for mark, out in zip(batch, rotated, strict=True):
        out[..., 0] = cv2.warpAffine(mark, matrix, (FIELD, FIELD), flags=cv2.INTER_LINEAR)
    return rotated
