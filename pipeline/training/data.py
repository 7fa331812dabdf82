"""What a training learns from and is judged on: a split's own digits, and those drawn beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.mnist.dataset import DRAWN_SETS, Digits, load_drawn


def mixed(folder: Path, split: str, share: float) -> Digits:
    """The split's own digits, and after them the first `share` of each of its drawn sets."""
    return _with_drawn(Digits.load(folder, split), folder, split, share)


def training_data(folder: Path, drawn: float, drawn_last: float) -> tuple[Digits, Digits, int]:
    """What a training learns from, what it is judged on, and how many of the first are MNIST's own.

    The first holds everything that was drawn, or nothing of it where `drawn` is 0; `training.sampling`
    chooses the share that each epoch sees. The second holds the share `drawn_last`, as the last epochs do.
    """
    own = Digits.load(folder, "train")
    digits = _with_drawn(own, folder, "train", 1.0 if drawn else 0.0)
    return digits, mixed(folder, "validation", drawn_last), own.total


def _with_drawn(digits: Digits, folder: Path, split: str, share: float) -> Digits:
    parts = [digits]
    for kind in DRAWN_SETS if share else ():
        drawn = load_drawn(folder, split, kind)
        parts.append(drawn.take(np.arange(round(share * drawn.total))))
    return Digits(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
