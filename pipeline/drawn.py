"""The data sets that the project draws itself, for every split: made in preprocess, mixed in by train."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.dataset import Digits
from pipeline.errors import ParameterError
from pipeline.negatives import negatives
from pipeline.prototypes import prototypes
from pipeline.redrawn import redrawn

Maker = Callable[[Digits, int, Sequence[int]], Digits]

SETS: dict[str, Maker] = {
    "prototypes": lambda _, count, seed: prototypes(count, seed),
    "redrawn": redrawn,
    "negatives": lambda _, count, seed: negatives(count, seed),
}
"""From a split's own digits, how many and a seed."""


def drawn_sets(splits: Mapping[str, Digits], shares: Mapping[str, float], seed: int) -> dict[str, Digits]:
    """All sets for all splits, named "train-prototypes" and so on.

    A set's size is its share of the split's digits. Raises `ParameterError` for a name that is no set.
    """
    unknown = sorted(set(shares) ^ set(SETS))
    if unknown:
        raise ParameterError(f"preprocess.drawn has to name {', '.join(SETS)}, no other: see {unknown[0]!r}.")
    return {
        name(split, kind): make(digits, round(shares[kind] * digits.total), [seed, number, place])
        for number, (split, digits) in enumerate(splits.items())
        for place, (kind, make) in enumerate(SETS.items())
    }


def name(split: str, kind: str) -> str:
    """The name of a set's file."""
    return f"{split}-{kind}"


def load(folder: Path, split: str, kind: str) -> Digits:
    """A set as preprocess wrote it; raises `DataError` where it is missing or damaged."""
    return Digits.load(folder, name(split, kind))


def mixed(folder: Path, split: str, share: float, kinds: Sequence[str] = tuple(SETS)) -> Digits:
    """The split's own digits, and after them the first `share` of each of its drawn sets."""
    parts = [Digits.load(folder, split)]
    for kind in kinds if share else ():
        made = load(folder, split, kind)
        parts.append(made.take(np.arange(round(share * made.total))))
    return Digits(
        np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
    )
