from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.sheet import NEGATIVE, Sheet, histogram, small_copy, transposed, written_box


def _drawn(height: int = 300, width: int = 200, paper: int = 255) -> NDArray[np.uint8]:
    pixels = np.full((height, width), paper, np.uint8)
    pixels[100:140, 60:90] = np.arange(30)
    return pixels


def _sheet(pixels: NDArray[np.uint8]) -> Sheet:
    left, top, right, bottom = written_box(pixels)
    height, width = pixels.shape
    return Sheet(pixels[top:bottom, left:right], left, top, width, height, int(pixels[0, 0]))


def test_written_is_around_the_drawing() -> None:
    left, top, right, bottom = written_box(_drawn())
    assert 50 <= left <= 58
    assert 92 <= right <= 100
    assert 90 <= top <= 98
    assert 142 <= bottom <= 150


@pytest.mark.parametrize("channels", [3, 4])
def test_written_is_the_same_for_coloured_pixels(channels: int) -> None:
    assert written_box(np.dstack([_drawn()] * channels)) == written_box(_drawn())


def test_written_is_all_where_the_paper_differs_everywhere() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (70, 90), np.uint8)
    assert written_box(noise) == (0, 0, 90, 70)


def test_written_is_all_where_the_paper_is_coloured() -> None:
    pixels = np.full((30, 20, 3), (195, 251, 232), np.uint8)
    pixels[15:] = 195  # the red level of the paper, but another colour
    assert written_box(pixels) == (0, 0, 20, 30)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (300, 200), (1999, 130)])
def test_written_of_a_blank_picture_is_a_corner(size: tuple[int, int]) -> None:
    sheet = _sheet(np.full(size, 9, np.uint8))
    assert (sheet.left, sheet.top) == (0, 0)
    assert 0 < max(sheet.part.shape) < 20
    assert sheet.part.size + sheet.outside == size[0] * size[1]


@pytest.mark.parametrize("at", [(0, 0), (1998, 129), (1990, 5), (7, 128)])
def test_small_copy_is_that_of_the_whole_picture(at: tuple[int, int]) -> None:
    pixels = np.full((1999, 130), 200, np.uint8)
    pixels[100:110, 30:50] = 3
    pixels[at] = 0
    sheet = _sheet(pixels)
    assert np.array_equal(sheet.whole, pixels)
    assert np.array_equal(small_copy(sheet).whole, small_copy(Sheet.all_of(pixels)).whole)


def test_small_copy_leaves_small_pictures_alone() -> None:
    pixels = _drawn()[:120, :100]
    assert small_copy(Sheet.all_of(pixels)).whole is pixels
    assert small_copy(Sheet.all_of(np.zeros((400, 200), np.uint8))).whole.shape == (100, 50)


def test_mapped_and_counts_take_the_margin_in() -> None:
    pixels = _drawn(paper=200)
    sheet = _sheet(pixels)
    assert np.array_equal(sheet.mapped(NEGATIVE).whole, 255 - pixels)
    assert np.array_equal(sheet.counts, np.bincount(pixels.ravel(), minlength=256))


def test_counts_take_in_a_margin_that_the_part_does_not_show() -> None:
    pixels = np.full((331, 16), 18, np.uint8)
    pixels[60:144] = 200  # all of the written part, which therefore does not show the margin
    part = Sheet(pixels[60:144], 0, 60, 16, 331, 18)
    assert np.flatnonzero(part.counts).tolist() == [18, 200]
    assert np.flatnonzero(Sheet.all_of(pixels[60:144]).counts).tolist() == [200]


def test_tables_follow_each_other() -> None:
    pixels = _drawn(paper=200)
    half, turned = (np.arange(256) // 2).astype(np.uint8), np.arange(255, -1, -1).astype(np.uint8)
    for sheet in (_sheet(pixels), Sheet.all_of(pixels)):
        seen = sheet.mapped(half).mapped(turned)
        expected = 255 - pixels // 2
        assert np.array_equal(seen.whole, expected)
        assert np.array_equal(seen.counts, np.bincount(expected.ravel(), minlength=256))
        assert np.array_equal(sheet.mapped(turned).whole, 255 - pixels)


def test_within_takes_a_box_in_pixels_of_the_picture() -> None:
    pixels = _drawn()
    assert np.array_equal(_sheet(pixels).within((60, 100, 90, 140)), pixels[100:140, 60:90])
    assert np.array_equal(_sheet(pixels).within((50, 90, 130, 170)), pixels[90:170, 50:130])


def test_histogram_counts_every_level() -> None:
    pixels = _drawn()
    assert np.array_equal(histogram(pixels), np.bincount(pixels.ravel(), minlength=256))


def test_turned_exchanges_rows_and_columns() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert transposed(grey).tolist() == grey.T.tolist()
    assert transposed(grey).flags.c_contiguous
