"""The data for training and validation: a split's own digits and its synthetic sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digits.network.contract import CLASSES
from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import DRAWN_SETS, Digits, load_drawn

# Groups of the sources of `digits_by_source`:
REAL = ("plain", "redrawn")  # written by people
USUAL = (*REAL, "prototypes")  # nearly all of these digits are legible
_THICK = 0.2  # share of the redrawn digits


def mixed(folder: Path, split: str, share: float) -> Digits:
    """Return the split's own digits followed by the first `share` of each of its synthetic sets."""
    return _with_drawn(Digits.load(folder, split), folder, split, share)


def training_data(folder: Path, drawn: float, drawn_last: float, accepted: int) -> tuple[Digits, Digits, int]:
    """Return the training data, the validation data, and how many of the training data every epoch sees.

    Every epoch sees MNIST's digits and `accepted` copies of each mark of accepted feedback; these come first.
    The synthetic sets follow, in full or not at all if `drawn` is 0; `training.sampling` chooses the share of
    them for each epoch. The validation data has the share `drawn_last` of the synthetic sets, like the last
    epochs.
    """
    own = _joined([Digits.load(folder, "train"), *[_feedback(folder, drawn)] * accepted])
    digits = _with_drawn(own, folder, "train", 1.0 if drawn else 0.0)
    return digits, mixed(folder, "validation", drawn_last), own.total


def digits_by_source(folder: Path, split: str) -> dict[str, Digits]:
    """Return a split's digits by source, without marks that are not digits.

    "plain" are MNIST's digits, and the other sources are synthetic. "thick" are the redrawn digits with the
    most ink. Empty sources are left out.
    """
    found = {"plain": Digits.load(folder, split)}
    for kind in DRAWN_SETS:
        drawn = load_drawn(folder, split, kind)
        found[kind] = drawn.take(np.flatnonzero(drawn.labels < CLASSES))
    ink = found["redrawn"].images.mean(axis=(1, 2))
    found["thick"] = found["redrawn"].take(np.argsort(ink, kind="stable")[-round(_THICK * len(ink)) :])
    return {name: digits for name, digits in found.items() if digits.total}


def _feedback(folder: Path, drawn: float) -> Digits:
    """Return accepted feedback, with digits only for a network without "not a digit" (`drawn` is 0)."""
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
