from __future__ import annotations

from itertools import chain, pairwise

import cv2
import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.pen_strokes import missing_between_boxes
from tests.behaviour.drawing import drawing
from tests.digits.layout.forms import frames_of, rule, ruled_grid, sheet, write

LEFT, TOP, RIGHT, BOTTOM = 60, 50, 240, 230
BAR = "the bar of a 7 of a thick pen goes on beyond the other stroke's middle: it is taken for a line alone"
HORIZONTAL = [rule(40, 460, 40), rule(40, 460, 120)]


def _sides(grey: Grey, sides: str, thickness: int = 3) -> Grey:
    """A sheet with these sides of a box, given by their first letters."""
    drawn = grey.copy()
    if "l" in sides:
        drawn[TOP : BOTTOM + thickness, LEFT : LEFT + thickness] = 0
    if "r" in sides:
        drawn[TOP : BOTTOM + thickness, RIGHT : RIGHT + thickness] = 0
    if "t" in sides:
        drawn[TOP : TOP + thickness, LEFT : RIGHT + thickness] = 0
    if "b" in sides:
        drawn[BOTTOM : BOTTOM + thickness, LEFT : RIGHT + thickness] = 0
    return drawn


def _sides_found(grey: Grey) -> tuple[int, int]:
    frames = frames_of(grey)
    return len(frames.horizontal), len(frames.vertical)


def _counts(grey: Grey) -> tuple[int, int]:
    frames = frames_of(grey)
    return len(frames.all_horizontal()), len(frames.all_vertical())


@pytest.mark.parametrize("digit", "0358")
@pytest.mark.parametrize(
    ("sides", "lines"), [("lbr", (1, 2)), ("ltr", (1, 2)), ("tlb", (2, 1)), ("trb", (2, 1))]
)
def test_three_sides_of_a_box_with_a_digit_in_it_are_lines(
    sides: str, lines: tuple[int, int], digit: str
) -> None:
    assert _sides_found(write(_sides(sheet(300, 300), sides), digit, (110, 90), 100, 6)) == lines


@pytest.mark.parametrize("digit", "0358")
@pytest.mark.parametrize("sides", ["lb", "lt", "rb", "rt"])
def test_two_sides_of_a_box_with_a_digit_in_it_are_lines(sides: str, digit: str) -> None:
    assert _sides_found(write(_sides(sheet(300, 300), sides), digit, (110, 90), 100, 6)) == (1, 1)


@pytest.mark.parametrize("sides", ["lbr", "ltr", "lb", "rt", "lt"])
def test_sides_with_nothing_between_them_are_no_lines(sides: str) -> None:
    assert _counts(_sides(sheet(300, 300), sides)) == (0, 0)


@pytest.mark.parametrize("pen", [4, 8, 16])
@pytest.mark.parametrize("digit", range(10))
def test_a_lone_digit_has_no_lines(digit: int, pen: float) -> None:
    assert _counts(drawing(str(digit), pen=pen)) == (0, 0)


@pytest.mark.parametrize(
    "thickness",
    [3, 5, *(pytest.param(wide, marks=pytest.mark.xfail(strict=True, reason=BAR)) for wide in (8, 12))],
)
def test_a_lone_seven_of_straight_strokes_has_no_lines(thickness: int) -> None:
    grey = _sides(sheet(300, 300), "t", thickness)
    cv2.line(grey, (RIGHT, TOP), (150, 240), 0, thickness)
    assert _counts(grey) == (0, 0)


@pytest.mark.parametrize("thickness", [3, 8, 12])
def test_a_lone_seven_whose_stroke_stands_has_no_lines(thickness: int) -> None:
    assert _counts(_sides(sheet(300, 300), "tr", thickness)) == (0, 0)


@pytest.mark.parametrize("text", ["74", "47", "171", "744"])
def test_digits_beside_a_seven_do_not_make_lines_of_it(text: str) -> None:
    assert _counts(drawing(text, size=(600, 220), at=(40, 40), box=130, pen=6)) == (0, 0)


def _missing(*places: float) -> list[float]:
    found = missing_between_boxes(HORIZONTAL, [rule(40, 120, place) for place in places])
    return sorted(float(one.at(80.0)) for one in found)


@pytest.mark.parametrize("missing", range(1, 6))
def test_a_missing_rule_in_an_even_row_is_put_back(missing: int) -> None:
    places = [40 + 70 * k for k in range(7)]
    gone = places.pop(missing)
    assert _missing(*places) == pytest.approx([gone], abs=1)
    assert _missing(*reversed(places)) == pytest.approx([gone], abs=1)


def test_two_missing_rules_side_by_side_are_put_back() -> None:
    assert _missing(40, 110, 180, 250, 460, 530, 600, 670) == pytest.approx([320, 390], abs=1)


def test_a_rule_that_is_put_back_is_as_long_and_as_thick_as_its_neighbours() -> None:
    (found,) = missing_between_boxes(HORIZONTAL, [rule(40, 120, x, 3) for x in (40, 110, 250, 320, 390)])
    assert (found.start, found.end, found.thickness) == (40, 120, 3)


@pytest.mark.parametrize(
    ("count", "between"), [(2, 10), (2, 30), (2, 70), (3, 10), (3, 30), (3, 140), (5, 30), (5, 140)]
)
def test_separate_boxes_stay_as_they_are(count: int, between: int) -> None:
    boxes = [40 + (70 + between) * k for k in range(count)]
    assert _missing(*chain(*((left, left + 70) for left in boxes))) == []


def test_a_whole_row_lacks_nothing() -> None:
    assert _missing(40, 110, 180, 250) == []


@pytest.mark.parametrize(
    "places", [(), (40,), (40, 180), (40, 110, 390), (40, 110, 180, 290), (40, 100, 200, 220, 400)]
)
def test_few_or_uneven_rules_do_not_say_what_is_missing(places: tuple[int, ...]) -> None:
    assert _missing(*places) == []


def test_a_table_of_several_rows_gets_no_rules() -> None:
    horizontal = [*HORIZONTAL, rule(40, 460, 200)]
    assert missing_between_boxes(horizontal, [rule(40, 200, x) for x in (40, 110, 250, 320, 390)]) == []


def test_a_rule_hidden_by_writing_in_a_row_of_boxes_is_put_back() -> None:
    x = tuple(range(40, 461, 70))
    grey = ruled_grid(sheet(500, 160), x, (40, 120))
    grey[43:118, 175:186] = 255  # the rule at 180
    frames = frames_of(write(grey, "2648", (55, 55), 50, step=1.75))
    assert sorted(float(one.at(80)) for one in frames.vertical) == pytest.approx(x, abs=2)


@pytest.mark.parametrize("lefts", [(40, 180, 320, 460), (40, 250)])
def test_boxes_apart_are_not_filled_up(lefts: tuple[int, ...]) -> None:
    grey = sheet(640, 160)
    for left in lefts:
        grey = write(ruled_grid(grey, (left, left + 70), (40, 120)), "6", (left + 15, 55), 50)
    found = sorted(float(one.at(80)) for one in frames_of(grey).vertical)
    assert found == pytest.approx(list(chain(*((left, left + 70) for left in lefts))), abs=2)
    assert all(right - left > 50 for left, right in pairwise(found))


@pytest.mark.parametrize(("pen", "top"), [(3, 44), (3, 52), (6, 44), (6, 52)])
def test_a_digit_as_high_as_its_box_stays_writing(pen: int, top: int) -> None:
    x = tuple(range(40, 461, 70))
    grey = ruled_grid(sheet(500, 160), x, (40, 120))
    for left in x[:-1]:
        grey[top : 161 - top, left + 24 : left + 24 + pen] = 0
    assert sorted(float(one.at(80)) for one in frames_of(grey).vertical) == pytest.approx(np.array(x), abs=2)


def test_dashed_rules_of_two_boxes_that_touch_are_no_strokes() -> None:
    x = (40, 110, 180, 250, 320)
    grey = ruled_grid(sheet(360, 160), x, (40, 120), 2, dash=6)
    for place in x[1:-1]:
        grey[40:121, place - 2 : place + 4] = np.where(grey[40:121, place : place + 1] < 128, 0, 255)
    assert _counts(write(grey, "2648", (58, 55), 50, step=1.75)) == (2, 5)
