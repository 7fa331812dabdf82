"""The data sets that preprocess draws beside each split: their files, and the split with them mixed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.dataset import Digits

KINDS = ("prototypes", "redrawn", "negatives")


def name(split: str, kind: str) -> str:
    """The name of a set's file."""
    return f"{split}-{kind}"


def load(folder: Path, split: str, kind: str) -> Digits:
    """A set as preprocess wrote it; raises `DataError` where it is missing or damaged."""
    return Digits.load(folder, name(split, kind))


def mixed(folder: Path, split: str, share: float) -> Digits:
    """The split's own digits, and after them the first `share` of each of its drawn sets."""
    return _with_drawn(Digits.load(folder, split), folder, split, share)


def training_data(folder: Path, drawn: float, drawn_last: float) -> tuple[Digits, Digits, int]:
    """What a training learns from, what it is judged on, and how many of the first are MNIST's own.

    All that was drawn is there, if any of it is wanted: which share an epoch sees is the training's matter.
    It is judged on as much of what is drawn as its last epochs see.
    """
    own = Digits.load(folder, "train")
    digits = _with_drawn(own, folder, "train", 1.0 if drawn else 0.0)
    return digits, mixed(folder, "validation", drawn_last), own.total


def _with_drawn(digits: Digits, folder: Path, split: str, share: float) -> Digits:
    parts = [digits]
    for kind in KINDS if share else ():
        made = load(folder, split, kind)
        parts.append(made.take(np.arange(round(share * made.total))))
    return Digits(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
