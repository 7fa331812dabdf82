"""Redrawn digits have the size, stroke width and position of their kind."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.synthesis.canvas import KINDS, SIDE, Kind, canvases, redraw


def seven() -> NDArray[np.uint8]:
    """A seven with strokes of three pixels, as MNIST's."""
    image = np.zeros((28, 28), np.uint8)
    image[5:8, 7:21] = 255
    for row in range(8, 24):
        at = 20 - (row - 8) // 2
        image[row, at - 2 : at + 1] = 255
    return image


def ink(canvas: Image.Image) -> NDArray[np.bool_]:
    return np.asarray(canvas) < 128


def longer_side(drawn: NDArray[np.bool_]) -> int:
    return int(max(np.ptp(np.flatnonzero(drawn.any(axis=axis))) for axis in (0, 1))) + 1


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("large", 250, 380), ("small", 34, 76), ("anywhere", 78, 250)]
)
def test_redraw_sizes(kind: Kind, low: int, high: int) -> None:
    rng = np.random.default_rng(0)
    sizes = [longer_side(ink(redraw(seven(), kind, rng))) for _ in range(20)]
    assert low <= min(sizes)
    assert max(sizes) <= high
    assert len(set(sizes)) > 5


def test_redraw_thick_has_more_ink_than_thin() -> None:
    rng = np.random.default_rng(0)

    def share(kind: Kind) -> float:
        drawn = [ink(redraw(seven(), kind, rng)) for _ in range(10)]
        return float(np.mean([one.sum() / longer_side(one) ** 2 for one in drawn]))

    assert share("thin") < 0.7 * share("anywhere")
    assert share("thick") > 1.2 * share("anywhere")


def test_redraw_thin_leaves_strokes_whole() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        drawn = ink(redraw(seven(), "thin", rng))
        rows = np.flatnonzero(drawn.any(axis=1))
        assert len(rows) == np.ptp(rows) + 1


def test_redraw_anywhere_is_not_one_place() -> None:
    rng = np.random.default_rng(0)
    lefts = [int(np.flatnonzero(ink(redraw(seven(), "anywhere", rng)).any(axis=0))[0]) for _ in range(20)]
    assert max(lefts) - min(lefts) > SIDE / 3


def test_redraw_of_nothing_is_blank() -> None:
    drawn = redraw(np.zeros((28, 28), np.uint8), "thin", np.random.default_rng(0))
    assert np.asarray(drawn).min() == 255


def test_canvases_take_turns_and_repeat_themselves() -> None:
    images = np.stack([seven()] * 7)
    first, again = list(canvases(images, 3)), list(canvases(images, 3))
    assert [kind for kind, _ in first] == [*KINDS, *KINDS[:2]]
    assert all(one.size == (SIDE, SIDE) for _, one in first)
    assert all(a.tobytes() == b.tobytes() for (_, a), (_, b) in zip(first, again, strict=True))
    assert all(a.tobytes() != b.tobytes() for (_, a), (_, b) in zip(first, canvases(images, 4), strict=True))
