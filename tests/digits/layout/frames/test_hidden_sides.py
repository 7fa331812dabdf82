from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.hidden_sides import with_hidden_sides
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import mask_of, rule, ruled_grid, sheet

X, Y = (40, 120, 200, 280, 360), (40, 120)
SCALE = Scale(2.0)


def _row(found: tuple[int, ...] = X[:-1]) -> Rules:
    return Rules([rule(X[0], X[-1], y) for y in Y], [rule(Y[0], Y[1], x) for x in found])


def _boxes() -> Grey:
    return ruled_grid(sheet(420, 160), X, Y)


def _new(rules: Rules, grey: Grey) -> list[Rule]:
    closed = with_hidden_sides(rules, mask_of(grey), SCALE)
    assert closed.horizontal == rules.horizontal
    return closed.vertical[len(rules.vertical) :]


@pytest.mark.parametrize(("found", "side"), [(X[:-1], X[-1]), (X[1:], X[0])])
def test_the_outermost_side_is_put_back(found: tuple[int, ...], side: int) -> None:
    (new,) = _new(_row(found), _boxes())
    assert (new.start, new.end) == pytest.approx(Y, abs=2)
    assert float(new.at(80.0)) == pytest.approx(side, abs=1)


def test_a_side_that_leans_otherwise_than_its_row_ends_lies_on_its_ink() -> None:
    grey = ruled_grid(sheet(420, 160), X[:-1], Y)
    for row in range(Y[0], Y[1] + 1):
        place = 356 + (row - Y[0]) * 6 // 80
        grey[row, place : place + 2] = 0
    (new,) = _new(_row(), grey)
    assert [float(new.at(float(y))) for y in Y] == pytest.approx((356.5, 362.5), abs=1.5)


def test_a_side_that_was_found_is_not_put_back() -> None:
    assert _new(_row(X), _boxes()) == []


def test_where_there_is_no_ink_there_is_no_side() -> None:
    grey = _boxes()
    grey[Y[0] + 4 : Y[1] - 3, X[-1] - 3 : X[-1] + 4] = 255
    assert _new(_row(), grey) == []


def test_rules_that_end_unlike_each_other_have_no_side() -> None:
    row = _row()
    assert _new(Rules([row.horizontal[0], rule(X[0], X[-1] - 40, Y[1])], row.vertical), _boxes()) == []


def test_two_rules_that_few_others_join_are_no_boxes() -> None:
    assert _new(_row(X[:2]), _boxes()) == []


def test_strokes_that_reach_one_of_two_lines_only_join_nothing() -> None:
    strokes = [rule(Y[0] + 30, Y[1], x) for x in X[:-1]]
    assert _new(Rules(_row().horizontal, strokes), _boxes()) == []


def test_no_rules_have_no_sides() -> None:
    assert with_hidden_sides(Rules([], []), np.zeros((10, 10), np.uint8), SCALE) == Rules([], [])
