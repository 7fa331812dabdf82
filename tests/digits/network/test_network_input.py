from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits.network.contract import BOX, FIELD
from digits.network.network_input import field_of, network_input, stroke_width


def _ring(size: int, stroke: int) -> NDArray[np.uint8]:
    pixels = np.zeros((size, size), np.uint8)
    cv2.circle(pixels, (size // 2, size // 2), size // 2 - stroke, 255, stroke)
    return pixels


def _resized(
    pixels: NDArray[np.uint8], side: int, interpolation: int = cv2.INTER_LINEAR
) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=interpolation), np.uint8)


def test_network_input_is_none_without_ink() -> None:
    assert network_input(np.zeros((30, 30), np.float32)) is None


@pytest.mark.parametrize("shape", [(200, 20), (20, 160), (9, 4), (1, 1)])
def test_network_input_fits_the_box_and_keeps_the_shape(shape: tuple[int, int]) -> None:
    ink = np.zeros((300, 300), np.float32)
    ink[20 : 20 + shape[0], 30 : 30 + shape[1]] = 1
    seen = network_input(ink)
    assert seen is not None
    assert seen.shape == (FIELD, FIELD)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(height, width) == BOX


@pytest.mark.parametrize("shape", [(200, 80), (60, 160), (30, 29)])
def test_network_input_keeps_the_proportions(shape: tuple[int, int]) -> None:
    ink = np.zeros((300, 300), np.float32)
    ink[20 : 20 + shape[0], 30 : 30 + shape[1]] = 1
    pen = max(shape) // 10
    ink[20 + pen : 20 + shape[0] - pen, 30 + pen : 30 + shape[1] - pen] = 0
    seen = network_input(ink)
    assert seen is not None
    height, width = (np.ptp(np.flatnonzero(seen.any(axis=axis))) + 1 for axis in (1, 0))
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.15)


def test_network_input_puts_the_centre_of_mass_in_the_middle() -> None:
    ink = np.zeros((200, 200), np.float32)
    ink[20:180, 20:40] = 1
    ink[150:180, 20:120] = 1  # an L: its box's middle is not its centre of mass
    seen = network_input(ink)
    assert seen is not None
    rows, columns = np.mgrid[:FIELD, :FIELD] + 0.5
    assert (seen * rows).sum() / seen.sum() == pytest.approx(FIELD / 2, abs=0.6)
    assert (seen * columns).sum() / seen.sum() == pytest.approx(FIELD / 2, abs=0.6)


def test_network_input_leaves_a_digit_of_the_right_size_alone() -> None:
    ink = np.zeros((28, 28), np.float32)
    ink[4:24, 12:15] = 0.9
    ink[4:7, 8:15] = 0.6
    seen = network_input(ink)
    assert seen is not None
    assert sorted(np.unique(seen.round())) == [0, 153, 230]


def test_network_input_brings_thin_and_thick_strokes_near() -> None:
    widths = []
    for stroke in (2, 10, 20, 36):
        seen = field_of(_ring(200, stroke))
        assert seen is not None
        widths.append(stroke_width(_resized(seen.astype(np.uint8), 4 * FIELD)) / 4)
    assert min(widths) > 1.3
    assert max(widths) < 4.2


def test_network_input_of_few_pixels_is_that_of_many() -> None:
    large = _ring(200, 24)
    small = _resized(large, 12, cv2.INTER_AREA)
    seen, expected = field_of(small), field_of(large)
    assert seen is not None
    assert expected is not None
    assert np.abs(seen - expected).mean() < 0.1 * 255


def test_stroke_width_measures_pixels() -> None:
    assert stroke_width(_ring(200, 10)) == pytest.approx(10, rel=0.2)
    assert stroke_width(_ring(200, 20)) == pytest.approx(20, rel=0.2)
