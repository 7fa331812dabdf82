from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.lone_lines import lone, long_beside
from tests.digits.layout.forms import mask_of, rule, sheet, write


def _writing() -> Grey:
    """Ink in columns 60 to 336 and rows 60 to 140."""
    return mask_of(write(sheet(500, 240), "2538", (60, 60), 80, 6, step=1.1))


def test_many_lines_across_a_picture_are_of_ruled_paper() -> None:
    lines = [rule(0, 499, y) for y in range(30, 230, 40)]
    assert lone(lines, _writing(), horizontal=True) == lines


def test_a_line_below_all_writing_that_goes_on_on_both_sides_is_no_stroke() -> None:
    line = rule(30, 400, 170)
    assert lone([line], _writing(), horizontal=True) == [line]


def test_a_line_above_all_writing_is_no_stroke() -> None:
    line = rule(30, 400, 30)
    assert lone([line], _writing(), horizontal=True) == [line]


@pytest.mark.parametrize(("start", "end"), [(80, 320), (30, 200), (200, 400)])
def test_a_line_that_ends_where_writing_goes_on_may_be_a_stroke(start: int, end: int) -> None:
    assert lone([rule(start, end, 170)], _writing(), horizontal=True) == []


@pytest.mark.parametrize(("beyond", "found"), [(1, 0), (5, 1)])
def test_a_line_hardly_longer_than_the_writing_may_be_a_stroke(beyond: int, found: int) -> None:
    writing = np.zeros((240, 500), np.uint8)
    writing[60:140, 99:301] = 1
    assert len(lone([rule(99 - beyond, 300 + beyond, 170)], writing, horizontal=True)) == found


def test_a_line_through_the_writing_may_be_a_stroke() -> None:
    assert lone([rule(30, 400, 100)], _writing(), horizontal=True) == []


def test_a_thick_bar_is_no_line() -> None:
    assert lone([rule(30, 400, 190, 50)], _writing(), horizontal=True) == []


def test_a_tall_stroke_beside_little_writing_is_a_one() -> None:
    turned = np.ascontiguousarray(mask_of(write(sheet(300, 240), "2", (120, 80), 60, 6)).T)
    assert lone([rule(5, 235, 40)], turned, horizontal=False) == []


def test_a_line_beside_writing_half_as_high_is_of_the_paper() -> None:
    writing = np.zeros((240, 300), np.uint8)
    writing[60:168, 60:120] = 1
    line = rule(0, 239, 30)
    assert lone([line], np.ascontiguousarray(writing.T), horizontal=False) == [line]


def test_on_an_empty_sheet_lines_across_it_are_of_the_paper() -> None:
    blank = np.zeros((240, 500), np.uint8)
    through, short = [rule(0, 499, y) for y in (60, 120)], rule(100, 300, 180)
    assert lone([*through, short], blank, horizontal=True) == through
    assert lone(through, blank, horizontal=False) == []
    assert lone(through[:1], blank, horizontal=True) == []


def test_no_lines_are_none() -> None:
    assert lone([], _writing(), horizontal=True) == []


def test_lines_longer_than_a_frame_beside_it_are_of_the_paper() -> None:
    frame = [rule(40, 200, 50), rule(40, 200, 130)]
    long, short = rule(0, 499, 200), rule(40, 180, 220)
    assert long_beside(frame, [long, short], 500) == [long]
    assert long_beside([rule(0, 499, 50)], [rule(20, 480, 200)], 500) == []


def test_dotted_lines_are_of_the_paper_though_they_are_short_and_show_little_ink() -> None:
    dotted = [replace(rule(2, 238, x, 30), dashed=True, covered=0.6, step=12) for x in (50, 250, 450)]
    solid = [replace(one, step=0.0) for one in dotted]
    assert long_beside([], dotted, 240) == dotted
    assert long_beside([], solid, 240) == []
    turned = np.ascontiguousarray(_writing().T)
    assert lone(dotted, turned, horizontal=False) == dotted
    assert lone(solid, turned, horizontal=False) == []
