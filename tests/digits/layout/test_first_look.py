from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from digits.ink.extraction import WEAKEST, Darkness, find_darkness
from digits.ink.sheet import Grey
from digits.layout.first_look import boxes_of, may_be_printed, weakest_ink
from tests.behaviour.drawing import drawing, ruled, shadowed
from tests.digits.layout.forms import comb, ruled_grid, sheet, write

BOXES = tuple(range(40, 461, 70))


def _weakest(darkness: Darkness, lines_erased: bool) -> int:
    return weakest_ink(darkness, boxes_of(darkness), lines_erased)


def _darkness(grey: Grey) -> Darkness:
    return find_darkness(Image.fromarray(grey))


def _may_be(grey: Grey) -> bool:
    darkness = _darkness(grey)
    return may_be_printed(darkness, boxes_of(darkness))


def _page(light: int = 0) -> Grey:
    """Twenty digits, half of them with ink of this lightness."""
    grey = sheet(900, 400)
    for row in range(2):
        grey = write(grey, "2538046917", (40, 60 + 160 * row), 80, 7)
        if row and light:
            grey[200:] = np.maximum(grey[200:], light)
    return grey


@pytest.mark.parametrize("pen", [4, 8, 16])
@pytest.mark.parametrize("digit", range(10))
def test_a_lone_digit_needs_no_search_for_lines(digit: int, pen: float) -> None:
    assert not _may_be(drawing(str(digit), pen=pen))


@pytest.mark.parametrize("text", ["11", "2538", "70417", "20471396"])
def test_a_number_needs_no_search_for_lines(text: str) -> None:
    assert not _may_be(drawing(text, size=(900, 220), at=(60, 50), box=110, pen=8, step=1.1))


def test_a_digit_of_two_strokes_needs_no_search_for_lines() -> None:
    grey = write(sheet(300, 300), "3", (100, 90), 120, pen=7)
    cv2.line(grey, (150, 75), (200, 60), 0, 6)
    assert not _may_be(grey)


def test_a_line_beside_two_digits_may_be_printed() -> None:
    grey = write(sheet(500, 300), "25", (150, 90), 80, pen=7)
    cv2.line(grey, (100, 200), (400, 215), 0, 4)
    assert _may_be(grey)


def test_what_has_three_holes_is_no_digit() -> None:
    grey = sheet(300, 300)
    for middle in (80, 140, 200):
        cv2.circle(grey, (middle, 150), 32, 0, 6)
    assert _may_be(grey)


def test_a_page_of_digits_needs_no_search_for_lines() -> None:
    assert not _may_be(_page())


def test_a_blank_sheet_needs_no_search_for_lines() -> None:
    assert not _may_be(sheet(300, 200))


@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_a_table_may_be_printed(thickness: int) -> None:
    printed = ruled_grid(sheet(440, 340), (40, 160, 280, 400), (50, 130, 210, 290), thickness)
    assert _may_be(printed)
    assert _may_be(write(printed, "38", (55, 68), 46))


def test_a_box_around_a_digit_may_be_printed() -> None:
    box = ruled_grid(sheet(300, 300), (60, 240), (50, 230), 3)
    assert _may_be(write(box, "5", (110, 85), 110, pen=7))
    assert _may_be(box)


def test_a_ring_around_a_digit_may_be_printed() -> None:
    grey = write(sheet(300, 300), "5", (120, 100), 90, pen=7)
    cv2.circle(grey, (155, 145), 100, 0, 4)
    assert _may_be(grey)


def test_three_sides_of_a_box_with_a_digit_in_it_may_be_printed() -> None:
    grey = write(ruled_grid(sheet(300, 300), (60, 240), (50, 230), 3), "5", (110, 85), 110, pen=7)
    grey[:55] = 255
    assert _may_be(grey)


@pytest.mark.parametrize("dash", [4, 8])
def test_dashed_boxes_may_be_printed(dash: int) -> None:
    printed = ruled_grid(sheet(500, 160), BOXES, (40, 120), 2, dash=dash)
    assert _may_be(write(printed, "264809", (55, 55), 50, step=1.75))


def test_a_comb_may_be_printed() -> None:
    assert _may_be(write(comb(sheet(500, 180), BOXES, 130, 20), "264809", (52, 60), 56, step=1.5625))


@pytest.mark.parametrize("squared", [False, True])
def test_the_lines_of_paper_may_be_printed(squared: bool) -> None:
    assert _may_be(ruled(drawing("253", size=(600, 300), at=(60, 80), box=120), squared=squared))


def test_a_line_below_a_number_may_be_printed() -> None:
    grey = write(sheet(600, 220), "2538", (80, 40), 90, 6, step=1.2)
    grey[160:163, 30:570] = 0
    assert _may_be(grey)


def test_digits_that_touch_the_box_that_they_stand_in_do_not_hide_it() -> None:
    grey = ruled_grid(sheet(300, 300), (60, 240), (50, 230), 3)
    cv2.line(grey, (60, 50), (240, 230), 0, 6)
    assert _may_be(grey)


@pytest.mark.parametrize("text", ["5", "2538"])
def test_ink_of_a_few_marks_is_as_strong_as_ever(text: str) -> None:
    darkness = _darkness(drawing(text, size=(600, 220), at=(60, 50), box=110, pen=8, step=1.1))
    assert _weakest(darkness, lines_erased=False) == WEAKEST


def test_on_a_page_of_many_marks_ink_may_be_lighter() -> None:
    assert _weakest(_darkness(_page()), lines_erased=False) < WEAKEST


def test_specks_do_not_make_a_page_of_a_digit() -> None:
    grey = drawing("5", size=(400, 280))
    grey[5:275:14, 5:60:14] = 0
    assert _weakest(_darkness(grey), lines_erased=False) == WEAKEST


def test_in_uneven_light_ink_is_stronger_than_in_even_light_and_strongest_where_lines_were() -> None:
    darkness = _darkness(shadowed(_page(), 0.4))
    assert darkness.uneven
    even = _weakest(_darkness(_page()), lines_erased=False)
    assert even < _weakest(darkness, lines_erased=False) < _weakest(darkness, lines_erased=True)
    assert _weakest(darkness, lines_erased=True) == WEAKEST


def test_a_blank_sheet_has_no_light_hand() -> None:
    assert _weakest(_darkness(sheet(300, 200)), lines_erased=False) == WEAKEST
