"""Which parts of a mark supported the network's answer, found by covering one part after another.

This is occlusion (Zeiler and Fergus, 2014, https://arxiv.org/abs/1311.2901). It needs no gradients, and only
one batch for each mark.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES, FIELD
from digits.network.model import Model
from digits.network.probabilities import log_sum_exp

_WINDOW = 6  # pixels, the side of the window that is covered
_STEP = 3  # pixels between two windows
_SOME_INK = 255.0  # sum of levels, up to which a window has too little ink to be tested


def saliency(model: Model, seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much each pixel of the network's input supported the answer: (28, 28), -1..1.

    `seen` is the network's input for one mark, (28, 28), 0..255. The strongest part is 1 or -1; pixels
    without ink are 0.
    """
    windows = _windows(seen)
    covered = np.where(windows, 0, seen).astype(np.float32)
    logits = model.logits(np.concatenate([seen[None], covered])[..., None])
    answer = int(logits[0, :CLASSES].argmax())
    lost = _odds(logits, answer)[0] - _odds(logits, answer)[1:]
    share = windows.sum(axis=0)
    weighed = (lost[:, None, None] * windows).sum(axis=0) / np.maximum(share, 1)
    weighed *= seen / 255
    strongest = float(np.abs(weighed).max(initial=0.0))
    return np.asarray(weighed / strongest if strongest else weighed, np.float32)


def _windows(seen: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Masks (n, 28, 28) of overlapping windows that have some ink in them."""
    starts = range(-_STEP, FIELD, _STEP)
    line = np.array([[first <= k < first + _WINDOW for k in range(FIELD)] for first in starts])
    windows = (line[:, None, :, None] & line[None, :, None, :]).reshape(-1, FIELD, FIELD)
    return np.asarray(windows[(windows * seen).sum(axis=(1, 2)) > _SOME_INK], np.bool_)


def _odds(logits: NDArray[np.float32], answer: int) -> NDArray[np.float32]:
    """Log odds (n,) of one answer against all other outputs, including "not a digit"."""
    others = np.delete(logits, answer, axis=1)
    return np.asarray(logits[:, answer] - log_sum_exp(others), np.float32)
