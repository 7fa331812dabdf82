"""Which digits every epoch of a training sees, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.project.errors import ParameterError

Positions = NDArray[np.intp]

LAST = 0.25  # of the epochs: those that may see less of what is drawn
# In the seeds of the rounds, so that they are none of an epoch's own order.
_DRAWN = 2**32
_AGAIN = 2**33


@dataclass(frozen=True, slots=True)
class Epochs:
    """`count` epochs over `total` digits, of which the first `own` are MNIST's and the others are drawn.

    Every epoch has all of the first. Of the others it has the share `drawn`, in the last quarter of the
    epochs `drawn_last`, each time those that come next in a round through all of them; MNIST's own come
    again in the places that this leaves free, so that all epochs are of one size. The same seed gives the
    same order, whatever was asked before. Raises `ParameterError` if the last share is the greater one.
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
        """How many digits an epoch has."""
        return self.own + self._part(self.drawn)

    def order(self, epoch: int) -> Positions:
        """The positions that an epoch (from 0) sees, shuffled."""
        free = self._part(self.drawn)
        first, last = self._drawn_before(epoch), self._drawn_before(epoch + 1)
        drawn = self.own + self._in_rounds(_DRAWN, self.total - self.own, first, last)
        again = self._in_rounds(_AGAIN, self.own, epoch * free - first, (epoch + 1) * free - last)
        seen = np.concatenate([np.arange(self.own), drawn, again])
        return np.random.default_rng([self.seed, epoch]).permutation(seen)

    def _part(self, share: float) -> int:
        return round(share * (self.total - self.own))

    def _drawn_before(self, epoch: int) -> int:
        """How many drawn digits were seen when an epoch begins."""
        late = max(0, epoch - self.count + round(LAST * self.count))
        return (epoch - late) * self._part(self.drawn) + late * self._part(self.drawn_last)

    def _in_rounds(self, key: int, many: int, first: int, last: int) -> Positions:
        """From the `first` to before the `last` position of rounds through `many`, each in another order."""
        rounds = range(first // many, -(-last // many)) if last > first else range(0)
        seen = [np.random.default_rng([self.seed, key, number]).permutation(many) for number in rounds]
        start = first - rounds.start * many
        return np.concatenate([*seen, np.empty(0, np.intp)])[start : start + last - first]
