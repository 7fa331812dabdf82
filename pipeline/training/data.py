"""What a training learns from and is judged on: a split's own digits, and those drawn beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits.network.contract import CLASSES
from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import DRAWN_SETS, Digits, load_drawn

# Of the sources of digits (`digits_by_source`):
REAL = ("plain", "redrawn")  # written by people
USUAL = (*REAL, "prototypes")  # hardly any of them is too spoilt to be read
_THICK = 0.2  # of the redrawn digits


def mixed(folder: Path, split: str, share: float) -> Digits:
    """The split's own digits, and after them the first `share` of each of its drawn sets."""
    return _with_drawn(Digits.load(folder, split), folder, split, share)


def training_data(folder: Path, drawn: float, drawn_last: float, accepted: int) -> tuple[Digits, Digits, int]:
    """What a training learns from, what it is judged on, and how many of the first every epoch sees.

    Those are MNIST's own and, `accepted` times each, what was accepted of feedback. The first holds
    everything that was drawn too, or nothing of it where `drawn` is 0; `training.sampling` chooses the share
    that each epoch sees. The second holds the share `drawn_last`, as the last epochs do.
    """
    own = _joined([Digits.load(folder, "train"), *[_feedback(folder, drawn)] * accepted])
    digits = _with_drawn(own, folder, "train", 1.0 if drawn else 0.0)
    return digits, mixed(folder, "validation", drawn_last), own.total


def digits_by_source(folder: Path, split: str) -> dict[str, Digits]:
    """A split's digits by where they come from, without the marks that are not digits.

    "plain" are MNIST's, the others are drawn: "thick" are those of "redrawn" with most ink.
    """
    found = {"plain": Digits.load(folder, split)}
    for kind in DRAWN_SETS:
        drawn = load_drawn(folder, split, kind)
        found[kind] = drawn.take(np.flatnonzero(drawn.labels < CLASSES))
    ink = found["redrawn"].images.mean(axis=(1, 2))
    found["thick"] = found["redrawn"].take(np.argsort(ink, kind="stable")[-round(_THICK * len(ink)) :])
    return {name: digits for name, digits in found.items() if digits.total}


def _feedback(folder: Path, drawn: float) -> Digits:
    """What was accepted; digits alone for a network without "not a digit"."""
    digits = Accepted.load(folder, "train").digits
    return digits if drawn else digits.take(np.flatnonzero(digits.labels < CLASSES))


def _with_drawn(digits: Digits, folder: Path, split: str, share: float) -> Digits:
    parts = [digits]
    for kind in DRAWN_SETS if share else ():
        drawn = load_drawn(folder, split, kind)
        parts.append(drawn.take(np.arange(round(share * drawn.total))))
    return _joined(parts)


def _joined(parts: Sequence[Digits]) -> Digits:
    return Digits(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
