"""Doubtful marks seen with the head tilted too: what a network says is averaged (test-time augmentation)."""

# Why it is so: docs/decisions/confidence.md
from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import FIELD

Floats = NDArray[np.float32]

_MIDDLE = ((FIELD - 1) / 2, (FIELD - 1) / 2)
_SURE = 3.0  # between the two highest logits: where there is more, no view changed an answer


def averaged(network: Callable[[Floats], Floats], batch: Floats, turns: Sequence[float]) -> Floats:
    """Logits (n, k) for marks (n, 28, 28, 1), those of doubtful marks averaged over several views.

    The views are the mark as it is and turned by each of `turns`, in degrees. A mark is doubtful where the
    two highest logits lie close: five to ten digits in a hundred, so that the others cost nothing more.
    """
    logits = network(batch)
    if not turns:
        return logits
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    doubtful = first - second < _SURE
    if doubtful.any():
        views = np.concatenate([_turned(batch[doubtful], degrees) for degrees in turns])
        turned = network(views).reshape(len(turns), -1, logits.shape[1])
        logits[doubtful] = (logits[doubtful] + turned.sum(axis=0)) / (1 + len(turns))
    return logits


def _turned(batch: Floats, degrees: float) -> Floats:
    matrix = cv2.getRotationMatrix2D(_MIDDLE, degrees, 1.0)
    turned = np.empty_like(batch)
    for mark, out in zip(batch, turned, strict=True):
        out[..., 0] = cv2.warpAffine(mark, matrix, (FIELD, FIELD), flags=cv2.INTER_LINEAR)
    return turned
