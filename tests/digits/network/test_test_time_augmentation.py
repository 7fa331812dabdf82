from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.network.contract import FIELD
from digits.network.test_time_augmentation import averaged

Floats = NDArray[np.float32]


def marks() -> Floats:
    """A horizontal and a vertical bar."""
    batch = np.zeros((2, FIELD, FIELD, 1), np.float32)
    batch[0, 13:15, 4:24] = 255
    batch[1, 4:24, 13:15] = 255
    return batch


def corners(views: Floats) -> Floats:
    """The amounts of ink in the upper left and the upper right quarter."""
    half = FIELD // 2
    return np.stack([views[:, :half, :half].sum((1, 2, 3)), views[:, :half, half:].sum((1, 2, 3))], axis=1)


class Network:
    """Records the batches that it gets, and is certain of marks whose first pixel has ink."""

    def __init__(self) -> None:
        self.asked: list[Floats] = []

    def __call__(self, views: Floats) -> Floats:
        self.asked.append(views)
        return corners(views) / 1e5 + [[100.0, 0.0]] * (views[:, 0, 0] > 0)


def test_averaged_without_turns_asks_for_the_marks_alone() -> None:
    network = Network()
    assert np.array_equal(averaged(network, marks(), []), Network()(marks()))
    assert len(network.asked) == 1


def test_averaged_takes_the_mean_of_a_mark_and_its_views() -> None:
    network = Network()
    found = averaged(network, marks(), [-10, 10])
    own, views = network.asked
    assert views.shape == (4, FIELD, FIELD, 1)
    assert np.allclose(found, (Network()(own) + Network()(views[:2]) + Network()(views[2:])) / 3)
    assert views.sum((1, 2, 3)) == pytest.approx(np.full(4, marks()[0].sum()), rel=0.02)


def test_averaged_asks_again_for_doubtful_marks_only() -> None:
    batch, network = marks(), Network()
    batch[0, 0, 0] = 1
    found = averaged(network, batch, [-10, 10])
    assert network.asked[1].shape == (2, FIELD, FIELD, 1)
    assert found[0] == pytest.approx(Network()(batch)[0])
    assert not np.allclose(found[1], Network()(batch)[1], atol=1e-5)


def test_averaged_turns_about_the_middle_and_each_mark_by_itself() -> None:
    network = Network()
    averaged(network, marks(), [10])
    lying, standing = corners(network.asked[1])
    assert lying[1] > 2 * lying[0]  # rotated anticlockwise: the right end goes up
    assert standing[0] > 2 * standing[1]
