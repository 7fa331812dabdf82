from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from digits.ink.sheet import Grey
from tests.behaviour.drawing import drawing, ruled
from tests.digits.layout.forms import (
    X,
    Y,
    comb,
    filled,
    frames_of,
    in_perspective,
    leaning,
    ruled_grid,
    sheet,
    write,
)


def _counts(grey: Grey) -> tuple[int, int]:
    frames = frames_of(grey)
    return len(frames.horizontal), len(frames.vertical)


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("level", [0, 120])
def test_a_grid_is_a_frame(thickness: int, level: int) -> None:
    frames = frames_of(filled(ruled_grid(sheet(440, 340), X, Y, thickness, level)))
    assert sorted(float(rule.at(220)) for rule in frames.horizontal) == pytest.approx(Y, abs=2)
    assert sorted(float(rule.at(170)) for rule in frames.vertical) == pytest.approx(X, abs=2)
    assert frames.combs == []


def test_an_empty_grid_is_a_frame() -> None:
    assert _counts(ruled_grid(sheet(440, 340), X, Y)) == (4, 4)


@pytest.mark.parametrize("strength", [0.03, 0.08, 0.15])
def test_a_frame_may_be_in_perspective(strength: float) -> None:
    assert _counts(in_perspective(filled(ruled_grid(sheet(440, 340), X, Y)), strength)) == (4, 4)


@pytest.mark.parametrize("degrees", [-6, -2, 2, 6])
def test_a_frame_may_lean(degrees: float) -> None:
    assert _counts(leaning(filled(ruled_grid(sheet(440, 340), X, Y)), degrees)) == (4, 4)


def test_a_frame_may_have_heavy_lines_among_thin_ones() -> None:
    heavy = ruled_grid(ruled_grid(sheet(440, 340), X, Y, 2), (X[0], X[-1]), (Y[0], Y[-1]), 5)
    assert _counts(filled(heavy)) == (4, 4)


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom", "lines"),
    [
        (60, 0, 440, 340, (4, 3)),
        (0, 0, 380, 340, (4, 3)),
        (0, 80, 440, 340, (3, 4)),
        (60, 80, 440, 340, (3, 3)),
        (60, 0, 380, 340, (4, 2)),
    ],
)
def test_a_frame_may_be_cut_off_by_the_pictures_edges(
    left: int, top: int, right: int, bottom: int, lines: tuple[int, int]
) -> None:
    whole = filled(ruled_grid(sheet(440, 340), X, Y))
    assert _counts(np.ascontiguousarray(whole[top:bottom, left:right])) == lines


@pytest.mark.xfail(strict=True, reason="lines through the whole picture are taken for those of the paper")
@pytest.mark.parametrize("count", [3, 5])
def test_a_table_that_fills_the_picture_is_a_frame(count: int) -> None:
    places = tuple(range(2, 60 * count + 3, 60))
    grey = ruled_grid(sheet(60 * count + 4, 60 * count + 4), places, places)
    for number, (left, top) in enumerate(product(places[:-1], places[:-1])):
        grey = write(grey, str(number % 10), (left + 16, top + 15), 30, 3)
    assert _counts(grey) == (count + 1, count + 1)


def test_a_table_of_wide_cells_that_fills_the_picture_is_a_frame() -> None:
    x, y = tuple(range(100, 401, 100)), tuple(range(50, 151, 50))
    grey = sheet(500, 200)
    for place in x:
        grey[:, place : place + 2] = 0
    for place in y:
        grey[place : place + 2] = 0
    for left, top in product((0, *x), (0, *y)):
        grey = write(grey, "38", (left + 20, top + 12), 28, 3)
    assert _counts(grey) == (3, 4)


def test_a_row_of_dashed_boxes_is_a_frame() -> None:
    x = tuple(range(40, 461, 70))
    grey = write(ruled_grid(sheet(500, 160), x, (40, 120), 2, dash=6), "264809", (55, 55), 50, step=1.75)
    assert _counts(grey) == (2, 7)


def test_boxes_apart_from_each_other_are_frames() -> None:
    grey = sheet(520, 160)
    for left in range(40, 460, 100):
        grey = write(ruled_grid(grey, (left, left + 70), (40, 120)), "6", (left + 15, 55), 50)
    horizontal, vertical = _counts(grey)
    assert vertical == 10
    assert horizontal in (2, 10)  # the sides of boxes in a row may be taken for one line


@pytest.mark.parametrize("apart", [30, 50, 70, 85, 150])
def test_two_boxes_apart_from_each_other_are_frames(apart: int) -> None:
    grey = sheet(440, 160)
    for left in (40, 110 + apart):
        grey = write(ruled_grid(grey, (left, left + 70), (40, 120)), "6", (left + 15, 55), 50)
    horizontal, vertical = _counts(grey)
    assert vertical == 4
    assert horizontal in (2, 4)


def test_a_comb_has_a_base_and_teeth() -> None:
    x = tuple(range(40, 461, 70))
    frames = frames_of(write(comb(sheet(500, 180), x, 130, 20), "264809", (52, 60), 56, step=1.5625))
    (found,) = frames.combs
    assert float(found.base.at(250)) == pytest.approx(130, abs=2)
    assert [float(tooth.at(125)) for tooth in found.teeth] == pytest.approx(x, abs=2)
    assert found.base in frames.all_horizontal()
    assert set(found.teeth) <= set(frames.all_vertical())


@pytest.mark.parametrize("slope", [0.0, 0.03])
def test_squared_paper_is_no_frame(slope: float) -> None:
    grey = ruled(drawing("253", size=(500, 300), at=(60, 80), box=120), squared=True, slope=slope)
    frames = frames_of(grey)
    assert (frames.horizontal, frames.vertical, frames.combs) == ([], [], [])


def test_the_lines_of_squared_paper_are_other_lines() -> None:
    grey = ruled(drawing("253", size=(500, 300), at=(60, 80), box=120), squared=True)
    frames = frames_of(grey)
    assert len(frames.other_horizontal) >= 6
    assert len(frames.other_vertical) >= 10
    assert set(frames.other_horizontal) <= set(frames.all_horizontal())
    assert set(frames.other_vertical) <= set(frames.all_vertical())


def test_ruled_paper_is_no_frame() -> None:
    frames = frames_of(ruled(drawing("253", size=(500, 300), at=(60, 80), box=120)))
    assert (frames.horizontal, frames.vertical, frames.combs) == ([], [], [])
    assert len(frames.other_horizontal) >= 6
    assert frames.other_vertical == []


def test_boxes_on_ruled_paper_are_frames() -> None:
    x = tuple(range(60, 461, 80))
    grey = ruled(np.full((240, 520), 255, np.uint8), gap=36, level=150)
    grey = write(ruled_grid(grey, x, (80, 170), 3), "26480", (78, 95), 56, step=80 / 0.8 / 56)
    frames = frames_of(grey)
    assert len(frames.horizontal) == 2
    assert len(frames.vertical) == 6


@pytest.mark.parametrize("thickness", [4, 10])
def test_a_lone_zero_with_corners_is_no_frame(thickness: int) -> None:
    assert _counts(ruled_grid(sheet(300, 300), (100, 190), (70, 220), thickness)) == (0, 0)


def test_a_box_with_nothing_in_it_is_no_frame() -> None:
    assert _counts(ruled_grid(sheet(300, 300), (60, 240), (50, 230), 3)) == (0, 0)


def test_a_box_with_a_digit_in_it_is_a_frame() -> None:
    grey = write(ruled_grid(sheet(300, 300), (60, 240), (50, 230), 3), "5", (110, 85), 110, pen=7)
    assert _counts(grey) == (2, 2)


def test_a_one_as_high_as_its_box_is_no_rule() -> None:
    x = tuple(range(40, 461, 70))
    grey = write(ruled_grid(sheet(500, 160), x, (40, 120), 2), "2648", (55, 55), 50, step=1.75)
    grey[44:117, 350:354] = 0  # in the fifth box, out of its middle
    assert _counts(grey) == (2, 7)


@pytest.mark.parametrize("text", ["1", "1111", "11711", "20471396", "4417"])
def test_digits_alone_are_no_frames(text: str) -> None:
    frames = frames_of(drawing(text, size=(900, 200), at=(50, 40), box=110, pen=8))
    assert not frames.all_horizontal()
    assert not frames.all_vertical()


def test_a_blank_sheet_has_no_lines() -> None:
    frames = frames_of(sheet(200, 100))
    assert frames.all_horizontal() + frames.all_vertical() == []
