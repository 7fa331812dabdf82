"""What preprocess draws beside MNIST: digits in other forms and with other pens, other marks, spoilt ones."""

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
"""From digits, how many are wanted and a seed."""

_PART = 2500  # digits that one process draws at a time
_SECONDS = 0.001  # that one of them takes about


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a set that one process draws: of which kind, from which digits, how many."""

    name: str
    kind: str
    digits: Digits
    count: int
    seed: tuple[int, ...]


def drawn_sets(splits: Mapping[str, Digits], shares: Mapping[str, float], seed: int) -> dict[str, Digits]:
    """All sets for all splits, named "train-prototypes" and so on, drawn on all cores.

    A set's size is its share of the split's digits; however many cores there are, the same seed draws the
    same. Raises `ParameterError` for a name that is no set.
    """
    unknown = sorted(set(shares) ^ set(DRAWN_SETS))
    if unknown:
        raise ParameterError(f"preprocess.drawn has to name {', '.join(DRAWN_SETS)}: see {unknown[0]!r}.")
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
    """The set cut into parts, each with digits and a seed of its own."""
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
