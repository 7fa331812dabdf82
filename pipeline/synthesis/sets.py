"""What preprocess draws beside MNIST: digits in other forms and with other pens, other marks, spoilt ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.project.errors import ParameterError
from pipeline.synthesis.negatives import negatives
from pipeline.synthesis.prototypes import prototypes
from pipeline.synthesis.redrawn import redrawn
from pipeline.synthesis.spoilt import spoilt

Maker = Callable[[Digits, int, Sequence[int]], Digits]
"""From a split's own digits, how many and a seed."""

_MAKERS: tuple[Maker, ...] = (
    lambda _, count, seed: prototypes(count, seed),
    redrawn,
    lambda _, count, seed: negatives(count, seed),
    spoilt,
)


def drawn_sets(splits: Mapping[str, Digits], shares: Mapping[str, float], seed: int) -> dict[str, Digits]:
    """All sets for all splits, named "train-prototypes" and so on.

    A set's size is its share of the split's digits. Raises `ParameterError` for a name that is no set.
    """
    unknown = sorted(set(shares) ^ set(DRAWN_SETS))
    if unknown:
        raise ParameterError(f"preprocess.drawn has to name {', '.join(DRAWN_SETS)}: see {unknown[0]!r}.")
    return {
        drawn_name(split, kind): make(digits, round(shares[kind] * digits.total), [seed, number, place])
        for number, (split, digits) in enumerate(splits.items())
        for place, (kind, make) in enumerate(zip(DRAWN_SETS, _MAKERS, strict=True))
    }
