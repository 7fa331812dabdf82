"""The synthetic sets that preprocess draws in addition to each split of MNIST."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.project.errors import ParameterError
from pipeline.project.processes import spread
from pipeline.synthesis.negatives import negatives
from pipeline.synthesis.prototypes import prototypes
from pipeline.synthesis.redrawn import redrawn
from pipeline.synthesis.spoilt import scans, spoilt

Maker = Callable[[Digits, int, Sequence[int]], Digits]
"""A function of a split's digits, the number of images to draw, and a seed."""

_PART = 2500  # images that one process draws at a time
_SECONDS = 0.001  # the approximate time per image


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a set, which one process draws."""

    name: str
    kind: str
    digits: Digits
    count: int
    seed: tuple[int, ...]


def drawn_sets(splits: Mapping[str, Digits], shares: Mapping[str, float], seed: int) -> dict[str, Digits]:
    """Draw all sets for all splits on all cores, and return them as "train-prototypes" and so on.

    `shares` gives each set's size relative to the split. The result depends on the seed but not on the number
    of cores. Raises `ParameterError` for a missing or unknown set.
    """
    unknown = sorted(set(shares) ^ set(DRAWN_SETS))
    if unknown:
        problem = f"{unknown[0]!r} is {'unknown' if unknown[0] in shares else 'missing'}"
        raise ParameterError(f"preprocess.drawn must have the keys {', '.join(DRAWN_SETS)}, but {problem}.")
    parts = [
        part
        for number, (split, digits) in enumerate(splits.items())
        for place, kind in enumerate(DRAWN_SETS)
        for part in _parts(digits, round(shares[kind] * digits.total), (seed, number, place), split, kind)
    ]
    made = spread(_draw, parts, _SECONDS * sum(part.count for part in parts))
    sets: dict[str, list[Digits]] = {}
    for part, digits in zip(parts, made, strict=True):
        sets.setdefault(part.name, []).append(digits)
    return {
        name: Digits(*(np.concatenate(arrays) for arrays in zip(*digits, strict=True)))
        for name, digits in sets.items()
    }


def _parts(digits: Digits, count: int, seed: tuple[int, ...], split: str, kind: str) -> Iterator[_Part]:
    """Split a set into parts, each with its own digits and seed."""
    order = np.random.default_rng(seed).permutation(digits.total)
    for number, start in enumerate(range(0, max(count, 1), _PART)):
        stop = min(start + _PART, count)
        own = digits.take(order[np.arange(start, stop) % digits.total])
        yield _Part(drawn_name(split, kind), kind, own, stop - start, (*seed, number))


def _draw(part: _Part) -> Digits:
    return _MAKERS[part.kind](part.digits, part.count, part.seed)


def _draw_prototypes(_: Digits, count: int, seed: Sequence[int]) -> Digits:
    return prototypes(count, seed)


def _draw_negatives(_: Digits, count: int, seed: Sequence[int]) -> Digits:
    return negatives(count, seed)


_MAKERS: dict[str, Maker] = {
    "prototypes": _draw_prototypes,
    "redrawn": redrawn,
    "negatives": _draw_negatives,
    "spoilt": spoilt,
    "scans": scans,
}
