from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.training.warp import warped


@pytest.fixture
def strokes() -> NDArray[np.uint8]:
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 6:22, 12:15] = 255
    return images


def generator() -> np.random.Generator:
    return np.random.default_rng(3)


def test_warped_without_changes_keeps_every_pixel(strokes: NDArray[np.uint8]) -> None:
    assert np.array_equal(warped(strokes, generator())[..., 0], strokes)


def test_warped_repeats_itself_for_the_same_generator(strokes: NDArray[np.uint8]) -> None:
    changes = {"rotation": 10.0, "shear": 10.0, "scale": 0.1, "shift": 2.0, "elastic": 0.5, "stroke": 0.7}
    first, second = (warped(strokes, generator(), **changes) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_warped_keeps_the_range_and_the_paper(strokes: NDArray[np.uint8]) -> None:
    x = warped(strokes, generator(), rotation=15, elastic=1.0, stroke=1.0, sharpness=1.5)
    assert x.dtype == np.float32
    assert x.shape == (3, 28, 28, 1)
    assert x.min() == 0
    assert x.max() <= 255
    assert not x[:, :, :3].any()


def test_warped_shift_moves_no_further_than_asked(strokes: NDArray[np.uint8]) -> None:
    x = warped(np.repeat(strokes, 50, axis=0), generator(), shift=2.0)[..., 0]
    middle = (x.sum(axis=1) * np.arange(28)).sum(axis=1) / x.sum(axis=(1, 2))
    assert 1.5 < np.abs(middle - 13).max() <= 2.001


def test_warped_digits_never_reach_into_their_neighbours() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[0] = 255
    x = warped(images, generator(), rotation=20, scale=0.2, shift=5, elastic=2.0)
    assert x[0].any()
    assert not x[1].any()


def test_warped_stroke_changes_the_amount_of_ink() -> None:
    images = np.zeros((60, 28, 28), np.uint8)
    images[:, 6:22, 12:15] = 255
    images[:, 6:22, [11, 15]] = 110  # soft edges, as in MNIST
    ink = warped(images, generator(), stroke=1.0).mean(axis=(1, 2, 3))
    assert ink.max() > 1.1 * images[0].mean()
    assert ink.min() < 0.95 * images[0].mean()
