from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.squared_paper import alike, are_squares, is_squared_paper, is_written_over
from digits.layout.rules.rule import Rule, Rules
from tests.digits.layout.forms import mask_of, rule, ruled_grid, sheet, write

X, Y = tuple(range(40, 461, 60)), tuple(range(40, 341, 60))
SHAPE = (380, 500)


def _rules(thickness: float = 2) -> Rules:
    return Rules([rule(X[0], X[-1], y, thickness) for y in Y], [rule(Y[0], Y[-1], x, thickness) for x in X])


def _grid(thickness: int = 2) -> Grey:
    return ruled_grid(sheet(500, 380), X, Y, thickness)


@pytest.mark.parametrize("height", [100, 160, 220])
def test_large_writing_over_a_grid_crosses_its_rules(height: int) -> None:
    assert is_written_over(_rules(), mask_of(write(_grid(), "253", (60, 70), height, 5)))


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("height", [24, 36, 46])
def test_digits_in_the_cells_of_a_grid_do_not_cross_its_rules(height: int, thickness: int) -> None:
    grey = _grid(thickness)
    for number, (x, y) in enumerate(product(X[:-1], Y[:-1])):
        at = x + 30 - round(0.4 * height), y + (60 - height) // 2
        grey = write(grey, str(number % 10), at, height, 3)
    assert not is_written_over(_rules(thickness), mask_of(grey))


def test_a_digit_or_two_across_the_rules_of_a_table_do_not_make_it_squared_paper() -> None:
    grey = _grid()
    for number, (x, y) in enumerate(product(X[:-1], Y[:-1])):
        grey = write(grey, str(number % 10), (x + 16, y + 12), 36, 3)
    grey = write(grey, "7", (X[1] + 16, Y[1] + 20), 52, 3)
    assert not is_written_over(_rules(), mask_of(grey))


def test_an_empty_grid_is_not_written_over() -> None:
    assert not is_written_over(_rules(), mask_of(_grid()))


def test_writing_beside_a_grid_does_not_cross_it() -> None:
    grey = ruled_grid(sheet(800, 380), X, Y)
    assert not is_written_over(_rules(), mask_of(write(grey, "253", (490, 100), 110, 5)))


def test_a_picture_without_rules_is_not_written_over() -> None:
    assert not is_written_over(Rules([], []), mask_of(write(sheet(500, 380), "253", (60, 70), 160, 5)))


def _overshot(by: int) -> tuple[list[Rule], list[Rule]]:
    return (
        [rule(X[0] - by, X[-1] + by, y) for y in Y],
        [rule(Y[0] - by, Y[-1] + by, x) for x in X],
    )


def test_rules_that_go_on_beyond_the_last_that_they_meet_are_of_squared_paper() -> None:
    assert is_squared_paper(*_overshot(30), SHAPE)


@pytest.mark.parametrize("by", [-3, 0, 5])
def test_rules_that_end_where_they_meet_are_of_a_table(by: int) -> None:
    assert not is_squared_paper(*_overshot(by), SHAPE)


def test_a_table_that_the_pictures_edge_cuts_off_is_no_squared_paper() -> None:
    horizontal = [rule(0, X[-1], y) for y in Y]
    vertical = [rule(Y[0], Y[-1], x) for x in X]
    assert not is_squared_paper(horizontal, vertical, SHAPE)


def test_rules_that_go_through_the_whole_picture_are_of_squared_paper() -> None:
    height, width = SHAPE
    assert is_squared_paper([rule(0, width - 1, y) for y in Y], [rule(0, height - 1, x) for x in X], SHAPE)


@pytest.mark.parametrize(("wide", "squares"), [(30, False), (48, True), (60, True), (72, True), (96, False)])
def test_squares_are_about_as_wide_as_high(wide: int, squares: bool) -> None:
    horizontal = [rule(0, 400, 20 + 60 * k) for k in range(5)]
    vertical = [rule(0, 300, 20 + wide * k) for k in (0, 1, 2, 3, 5)]  # one was lost
    assert are_squares(horizontal, vertical) == squares


def test_few_rules_are_no_squared_paper() -> None:
    horizontal, vertical = _overshot(30)
    assert not is_squared_paper(horizontal[:2], vertical, SHAPE)
    assert not is_squared_paper(horizontal, vertical[:2], SHAPE)
    assert not is_squared_paper([], [], SHAPE)


def test_the_mask_stays_as_it_is() -> None:
    mask = mask_of(write(_grid(), "253", (60, 70), 160, 5))
    before = mask.copy()
    is_written_over(_rules(), mask)
    assert np.array_equal(mask, before)


def test_lines_like_those_of_squared_paper_are_the_papers_wherever_they_end() -> None:
    further = rule(X[0] - 30, X[-1], Y[-1] + 60)
    found = alike(Rules([further], []), _rules())
    assert found.horizontal == [further]
    assert not found.vertical


@pytest.mark.parametrize("stroke", [rule(X[0], X[2], Y[-1] + 60), rule(X[0], X[-1], Y[-1] + 60, 8)])
def test_short_or_thick_strokes_beside_squared_paper_are_none_of_its_lines(stroke: Rule) -> None:
    assert not alike(Rules([stroke], []), _rules()).horizontal


def test_without_lines_of_the_paper_none_are_alike() -> None:
    assert alike(_rules(), Rules([], [])) == Rules([], [])
