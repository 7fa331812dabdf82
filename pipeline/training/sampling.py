"""Choose the digits of each epoch and their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.project.errors import ParameterError

Positions = NDArray[np.intp]

LAST = 0.25  # share of the epochs, at the end, that use `drawn_last`
# Keys in the seeds of the rounds, which differ from every epoch number, so that no seed is used twice.
_DRAWN = 2**32
_AGAIN = 2**33


@dataclass(frozen=True, slots=True)
class Epochs:
    """`count` epochs over `total` digits: the first `own` are in every epoch, and the rest are synthetic.

    An epoch has the share `drawn` of the synthetic digits, or `drawn_last` in the last quarter of the epochs.
    Successive epochs take them in rounds through all synthetic digits. Where `drawn_last` is smaller, own
    digits are repeated, so that all epochs have the same size. The order depends only on the seed and the
    epoch. Raises `ParameterError` if `drawn_last` is greater than `drawn`.
    """

    total: int
    own: int
    count: int
    drawn: float
    drawn_last: float
    seed: int

    def __post_init__(self) -> None:
        if self.drawn_last > self.drawn:
            raise ParameterError(
                f"train.drawn_last ({self.drawn_last}) cannot be more than train.drawn ({self.drawn})."
            )

    @property
    def size(self) -> int:
        """The number of digits in an epoch."""
        return self.own + self._part(self.drawn)

    def order(self, epoch: int) -> Positions:
        """Return the shuffled indices of the digits in an epoch (from 0)."""
        free = self._part(self.drawn)
        first, last = self._drawn_before(epoch), self._drawn_before(epoch + 1)
        drawn = self.own + self._in_rounds(_DRAWN, self.total - self.own, first, last)
        again = self._in_rounds(_AGAIN, self.own, epoch * free - first, (epoch + 1) * free - last)
        seen = np.concatenate([np.arange(self.own), drawn, again])
        return np.random.default_rng([self.seed, epoch]).permutation(seen)

    def _part(self, share: float) -> int:
        return round(share * (self.total - self.own))

    def _drawn_before(self, epoch: int) -> int:
        """Return how many synthetic digits all epochs before this one have seen."""
        late = max(0, epoch - self.count + round(LAST * self.count))
        return (epoch - late) * self._part(self.drawn) + late * self._part(self.drawn_last)

    def _in_rounds(self, key: int, many: int, first: int, last: int) -> Positions:
        """Return positions `first` to `last` - 1 of an endless sequence of permutations of `many` digits."""
        rounds = range(first // many, -(-last // many)) if last > first else range(0)
        seen = [np.random.default_rng([self.seed, key, number]).permutation(many) for number in rounds]
        start = first - rounds.start * many
        return np.concatenate([*seen, np.empty(0, np.intp)])[start : start + last - first]
