"""Marks seen with the head tilted too: what a network says of all is averaged (test-time augmentation)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.field import FIELD

Floats = NDArray[np.float32]

_MIDDLE = ((FIELD - 1) / 2, (FIELD - 1) / 2)


def averaged(network: Callable[[Floats], Floats], batch: Floats, turns: Sequence[float]) -> Floats:
    """Logits (n, k) for marks (n, 28, 28, 1): the mean over them as they are and turned by these degrees.

    `network` is asked once, with all of them. Without turns its answer is given back as it is.
    """
    if not turns:
        return network(batch)
    views = np.concatenate([batch, *(_turned(batch, degrees) for degrees in turns)])
    logits = network(views)
    return np.asarray(logits.reshape(1 + len(turns), len(batch), -1).mean(axis=0), np.float32)


def _turned(batch: Floats, degrees: float) -> Floats:
    matrix = cv2.getRotationMatrix2D(_MIDDLE, degrees, 1.0)
    turned = np.empty_like(batch)
    for mark, out in zip(batch, turned, strict=True):
        out[..., 0] = cv2.warpAffine(mark, matrix, (FIELD, FIELD), flags=cv2.INTER_LINEAR)
    return turned
