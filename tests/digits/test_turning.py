from __future__ import annotations

import numpy as np
import pytest

from digits.field import FIELD
from digits.turning import averaged

Floats = np.ndarray


def marks() -> Floats:
    """A lying and a standing bar."""
    batch = np.zeros((2, FIELD, FIELD, 1), np.float32)
    batch[0, 13:15, 4:24] = 255
    batch[1, 4:24, 13:15] = 255
    return batch


def corners(views: Floats) -> Floats:
    """How much ink there is in the upper left and in the upper right quarter."""
    half = FIELD // 2
    return np.stack([views[:, :half, :half].sum((1, 2, 3)), views[:, :half, half:].sum((1, 2, 3))], axis=1)


def test_averaged_without_turns_asks_for_the_marks_alone() -> None:
    asked: list[Floats] = []

    def network(views: Floats) -> Floats:
        asked.append(views)
        return corners(views)

    assert np.array_equal(averaged(network, marks(), []), corners(marks()))
    assert asked[0].shape == (2, FIELD, FIELD, 1)


def test_averaged_asks_once_for_all_views_and_takes_their_mean() -> None:
    asked: list[Floats] = []

    def network(views: Floats) -> Floats:
        asked.append(views)
        return corners(views)

    found = averaged(network, marks(), [-10, 10])
    (views,) = asked
    assert views.shape == (6, FIELD, FIELD, 1)
    assert np.allclose(found, corners(views).reshape(3, 2, 2).mean(axis=0))
    assert views.sum((1, 2, 3)) == pytest.approx(np.full(6, marks()[0].sum()), rel=0.02)


def test_averaged_turns_about_the_middle_and_each_mark_by_itself() -> None:
    seen: list[Floats] = []
    averaged(lambda views: seen.append(views) or corners(views), marks(), [10])
    lying, standing = corners(seen[0][2:])
    assert lying[1] > 2 * lying[0]  # against the clock: the right end goes up
    assert standing[0] > 2 * standing[1]
