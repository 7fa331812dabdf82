"""The subset of the training images that a trial sees."""

from __future__ import annotations

import numpy as np

from pipeline.mnist.dataset import Digits
from pipeline.tuning import short_training


def test_part_is_the_same_for_the_same_seed() -> None:
    digits = Digits(
        np.arange(10, dtype=np.uint8).repeat(784).reshape(10, 28, 28), np.arange(10, dtype=np.uint8)
    )

    def labels(share: float, seed: int) -> list[int]:
        return [int(label) for label in short_training.subset(digits, 10, share, seed)[0].labels]

    assert labels(0.3, 1) == labels(0.3, 1) != labels(0.3, 2)
    assert [len(labels(share, 1)) for share in (0.01, 0.3, 1.0)] == [1, 3, 10]


def test_part_takes_as_much_of_what_is_drawn() -> None:
    digits = Digits(np.zeros((14, 28, 28), np.uint8), np.arange(14, dtype=np.uint8))
    chosen, own = short_training.subset(digits, 10, 0.5, 1)
    assert own == 5
    assert max(chosen.labels[:own]) < 10 <= min(chosen.labels[own:])
    assert chosen.total == 7
