from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.even_boxes import with_even_sides
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import rule, ruled_grid, sheet, write

X, Y = (40, 120, 200, 280, 360), (40, 120)
SCALE = Scale(2.0)


def _row(found: tuple[int, ...], end: int = X[-1]) -> Rules:
    return Rules([rule(X[0], end, y) for y in Y], [rule(Y[0], Y[1], x) for x in found])


def _boxes(dash: int = 0) -> Grey:
    return ruled_grid(sheet(420, 160), X, Y, dash=dash)


def _sides(rules: Rules, grey: Grey) -> list[Rule]:
    vertical = with_even_sides(rules, np.asarray(255 - grey, np.uint8), SCALE).vertical
    return sorted(vertical, key=lambda side: float(side.at(side.middle)))


def _places(sides: list[Rule]) -> list[float]:
    return [float(side.at(side.middle)) for side in sides]


@pytest.mark.parametrize("dash", [0, 8])
@pytest.mark.parametrize("found", [(40, 120), (40, 360), (120, 200, 360), (200, 280)])
def test_sides_that_were_not_found_stand_at_even_places(found: tuple[int, ...], dash: int) -> None:
    sides = _sides(_row(found), _boxes(dash))
    assert _places(sides) == pytest.approx(X, abs=2)
    assert [(side.start, side.end) for side in sides] == [pytest.approx(Y, abs=2)] * len(X)


def test_a_side_that_writing_covers_counts_as_one() -> None:
    grey = _boxes(8)
    grey[60:100, 185:216] = 0
    assert _places(_sides(_row((40, 120, 360)), grey)) == pytest.approx(X, abs=2)


def test_where_a_side_does_not_show_there_is_none() -> None:
    grey = _boxes()
    grey[Y[0] + 4 : Y[1] - 3, 190:211] = 255
    found = (40, 120, 360)
    assert _places(_sides(_row(found), grey)) == pytest.approx(found, abs=1)


@pytest.mark.parametrize(("gap", "whole"), [(4, True), (6, False)])
def test_a_solid_side_may_have_a_small_gap(gap: int, whole: bool) -> None:
    grey = _boxes()
    grey[75 : 75 + gap, 190:211] = 255
    found = (40, 120, 360)
    assert len(_sides(_row(found), grey)) == (len(X) if whole else len(found))


def test_a_stroke_with_a_wider_gap_than_between_dashes_is_no_side() -> None:
    grey = _boxes(8)
    grey[Y[0] + 4 : Y[1] - 3, 190:211] = 255
    grey[Y[0] + 4 : Y[0] + 32, 199:201] = grey[Y[0] + 48 : Y[1] - 3, 199:201] = 0
    found = (40, 120, 360)
    assert _places(_sides(_row(found), grey)) == pytest.approx(found, abs=2)


@pytest.mark.parametrize("found", [(40, 360), (40, 120, 360)])
def test_strokes_of_a_pen_in_all_boxes_do_not_halve_them(found: tuple[int, ...]) -> None:
    grey = write(_boxes(), "1111", (62, 56), 48, step=80 / 48)
    assert _places(_sides(_row(found), grey)) == pytest.approx(X, abs=2)


def test_boxes_with_room_between_them_stay_as_they_are() -> None:
    x = (40, 114, 120, 194, 200, 274, 280, 360)
    found = _row(x)
    assert _places(_sides(found, ruled_grid(sheet(420, 160), x, Y))) == pytest.approx(x, abs=1)


def test_the_horizontal_sides_go_on_to_the_last_vertical_one() -> None:
    rules = with_even_sides(_row((40, 120), end=345), np.asarray(255 - _boxes(8), np.uint8), SCALE)
    assert [side.end for side in rules.horizontal] == pytest.approx([X[-1]] * 2, abs=2)


def test_a_stroke_beside_a_dashed_side_does_not_turn_it() -> None:
    grey = _boxes(6)
    for y in range(50, 116):
        grey[y, 362 - (y - 50) // 8 : 366 - (y - 50) // 8] = 0
    rules = _row(X)
    dashed = [Rule(side.start, side.end, side.course, 2, 0.5, True, 12.0) for side in rules.vertical]
    last = _sides(Rules(rules.horizontal, dashed), grey)[-1]
    assert [float(last.at(float(y))) for y in Y] == pytest.approx([X[-1]] * 2, abs=1.5)
