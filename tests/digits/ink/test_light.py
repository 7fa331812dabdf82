from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.light import darkness, polarity, without_shadow
from digits.ink.sheet import Sheet, small_copy


def _cross(size: int = 120, stroke: int = 8, ink: int = 0, paper: int = 255) -> NDArray[np.uint8]:
    pixels = np.full((size, size), paper, np.uint8)
    cv2.line(pixels, (size // 4, size // 4), (3 * size // 4, 3 * size // 4), ink, stroke)
    cv2.line(pixels, (3 * size // 4, size // 4), (size // 4, 3 * size // 4), ink, stroke)
    return pixels


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 120), (120, 90)])
def test_polarity_follows_the_ink(ink: int, paper: int) -> None:
    answer = polarity(Sheet.all_of(_cross(ink=ink, paper=paper)))
    assert answer.ink_is_dark == (ink < paper)
    assert answer.plainness > 1


def test_polarity_is_in_doubt_where_ink_touches_all_sides() -> None:
    tight = _cross(64)[16:48, 16:48]
    assert polarity(Sheet.all_of(tight)).plainness < polarity(Sheet.all_of(_cross(64))).plainness


def test_polarity_takes_an_empty_shadowed_sheet_for_paper() -> None:
    sheet = np.full((120, 120), 255, np.uint8)
    sheet[:, 70:] = 130
    assert polarity(Sheet.all_of(sheet)).ink_is_dark
    assert polarity(Sheet.all_of(np.fliplr(sheet))).ink_is_dark


def test_darkness_is_that_of_the_ink_on_even_paper() -> None:
    pixels = _cross(ink=55, paper=220)
    sheet = Sheet.all_of(pixels)
    found, uneven = darkness(sheet, small_copy(sheet), ink_is_dark=True)
    dark = found.whole
    assert not uneven
    assert dark[5, 5] == 0
    assert dark[60, 60] == pytest.approx(255 * (1 - 55 / 220), abs=3)


@pytest.mark.parametrize("ink_is_dark", [True, False])
def test_darkness_takes_soft_edges_for_even_paper(ink_is_dark: bool) -> None:
    coarse = cv2.resize(_cross(stroke=14), (16, 16), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)
    pixels = np.asarray(soft if ink_is_dark else 255 - soft, np.uint8)
    sheet = Sheet.all_of(pixels)
    _, uneven = darkness(sheet, small_copy(sheet), ink_is_dark)
    assert not uneven


@pytest.mark.parametrize("ink_is_dark", [True, False])
def test_darkness_has_no_shadow_in_it(ink_is_dark: bool) -> None:
    pixels = (_cross(300, 14, 20, 240) if ink_is_dark else _cross(300, 14, 250, 90)).astype(float)
    pixels[:, 150:] *= 0.55
    sheet = Sheet.all_of(pixels.astype(np.uint8))
    found, uneven = darkness(sheet, small_copy(sheet), ink_is_dark)
    dark = found.whole
    assert uneven
    ink = _cross(300, 14) == 0
    paper = _cross(300, 24) == 255
    assert dark[paper].max() < 20
    assert np.percentile(dark[ink], 20) > 70


@pytest.mark.parametrize("window", [0.03, 0.11, 0.22, 0.3])
@pytest.mark.parametrize("ink_is_dark", [True, False])
def test_shadow_is_what_a_morphology_of_the_window_leaves(window: float, ink_is_dark: bool) -> None:
    grey = np.random.default_rng(3).integers(0, 256, (150, 201)).astype(np.uint8)
    side = max(3, int(150 * window)) | 1
    how = cv2.MORPH_CLOSE if ink_is_dark else cv2.MORPH_OPEN
    room = cv2.copyMakeBorder(grey, side, side, side, side, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(room, how, np.ones((side, side), np.uint8))[side:-side, side:-side]
    expected = 255 - cv2.divide(grey, paper, scale=255) if ink_is_dark else cv2.subtract(grey, paper)
    assert np.array_equal(without_shadow(grey, ink_is_dark, window), expected)
