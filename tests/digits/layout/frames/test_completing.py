from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from digits.layout.frames.completing import extended, extended_in_ink
from digits.layout.rules.rule import Rule
from tests.digits.layout.forms import rule

X, Y = (40, 160, 280, 400, 520), (50, 130, 210, 290, 370)


def _horizontal() -> list[Rule]:
    return [rule(X[0], X[-1], y) for y in Y]


def _vertical(start: float, end: float) -> tuple[float, float]:
    """The ends, after extension, of a grid's vertical rule that was found from `start` to `end`."""
    found = [rule(Y[0], Y[-1], x) for x in X]
    found[2] = rule(start, end, X[2])
    done = extended(_horizontal(), found)[1][2]
    return done.start, done.end


def test_a_whole_grid_stays_as_it_is() -> None:
    vertical = [rule(Y[0], Y[-1], x) for x in X]
    done = extended(_horizontal(), vertical)
    ends = [(one.start, one.end) for one in chain(*done)]
    assert ends == [(40, 520)] * 5 + [(50, 370)] * 5


def test_a_rule_found_in_part_is_drawn_to_the_next_crossing_and_on() -> None:
    assert _vertical(50, 250) == (50, 370)
    assert _vertical(170, 370) == (50, 370)


def test_a_rule_found_in_its_middle_is_extended_at_both_ends() -> None:
    assert _vertical(90, 335) == (50, 370)


@pytest.mark.parametrize(
    ("covered", "dashed", "end"), [(0.7, False, 250), (0.7, True, 370), (0.9, False, 370)]
)
def test_stems_of_letters_in_a_line_are_not_extended(covered: float, dashed: bool, end: float) -> None:
    found = [rule(Y[0], Y[-1], x) for x in X]
    found[2] = replace(rule(50, 250, X[2], dashed=dashed), covered=covered)
    assert extended(_horizontal(), found)[1][2].end == end


@pytest.mark.parametrize("last", [210, 213, 290])
def test_a_rule_that_ends_at_a_t_stays(last: int) -> None:
    assert _vertical(50, last) == (50, last)
    assert _vertical(420 - last, 370) == (420 - last, 370)


def test_a_rule_that_ends_just_before_a_crossing_reaches_it() -> None:
    assert _vertical(52, 365) == (50, 370)


def test_a_rule_meets_those_that_end_just_before_it() -> None:
    horizontal = [rule(X[0], X[-1] - 7, y) for y in Y]
    done = extended(horizontal, [*(rule(Y[0], Y[-1], x) for x in X[:-1]), rule(50, 250, X[-1])])
    assert done[1][-1].end == 370


@pytest.mark.parametrize(("last", "end"), [(370 + 110, 480), (370 + 150, 370)])
def test_a_rule_is_not_extended_into_the_next_table(last: int, end: int) -> None:
    found = [*(rule(Y[0], Y[-1], x) for x in X[:-1]), rule(50, 250, X[-1])]
    done = extended([*_horizontal(), rule(X[0], X[-1], last)], found)
    assert done[1][-1].end == end


def test_a_rule_that_meets_two_others_is_not_extended_far() -> None:
    assert _vertical(50, 165) == (50, 165)


def test_a_rule_that_meets_two_others_is_extended_to_one_near() -> None:
    assert _vertical(50, 190) == (50, 210)


def test_a_rule_that_meets_no_others_stays() -> None:
    assert _vertical(140, 200) == (140, 200)


def test_horizontal_rules_are_extended_as_vertical_ones_are() -> None:
    horizontal = _horizontal()
    horizontal[1] = rule(40, 340, Y[1])
    done = extended(horizontal, [rule(Y[0], Y[-1], x) for x in X])[0][1]
    assert (done.start, done.end) == (40, 520)


def test_a_rule_is_not_extended_to_one_that_ends_before_it_gets_there() -> None:
    horizontal = _horizontal()
    horizontal[3], horizontal[4] = rule(40, 160, Y[3]), rule(40, 160, Y[4])
    found = [rule(Y[0], Y[-1], X[0]), rule(Y[0], Y[-1], X[1]), rule(50, 245, X[2]), rule(50, 210, X[3])]
    done = extended(horizontal, found)[1][2]
    assert (done.start, done.end) == (50, 245)


def test_what_is_extended_keeps_its_course() -> None:
    horizontal = _horizontal()
    horizontal[1] = rule(40, 340, Y[1], slope=0.01)
    done = extended(horizontal, [rule(Y[0], Y[-1], x) for x in X])[0][1]
    assert done.course == horizontal[1].course
    assert done.end == pytest.approx(520, abs=1)


def test_nothing_is_extended_where_nothing_is() -> None:
    assert extended([], []) == ([], [])
    assert [(one.start, one.end) for one in extended([rule(0, 100, 50)], [])[0]] == [(0, 100)]


def test_a_dashed_rule_is_extended_over_one_hidden_dash() -> None:
    horizontal = [rule(40, 280, 50), rule(40, 280, 130)]
    vertical = [rule(50, 130, 40), rule(72, 130, 160), rule(50, 130, 280)]
    assert extended(horizontal, vertical)[1][1].start == 72
    vertical[1] = replace(vertical[1], dashed=True, step=16)
    assert extended(horizontal, vertical)[1][1].start == 50


def _extended_in_ink(
    start: float, end: float, shown: tuple[int, int], level: int = 60
) -> tuple[float, float]:
    """The same for a rule that shows in the darkness in the range `shown`."""
    dark = np.full((420, 560), 10, np.uint8)
    for x in X:
        dark[Y[0] : Y[-1], x - 1 : x + 2] = 60
    dark[Y[0] : Y[-1], X[2] - 1 : X[2] + 2] = 10
    dark[shown[0] : shown[1], X[2] - 1 : X[2] + 2] = level
    dark[max(Y[0], int(start)) : int(end), X[2] - 1 : X[2] + 2] = 60
    for y in Y:
        dark[y - 1 : y + 2, X[0] : X[-1]] = 60
    found = [rule(Y[0], Y[-1], x) for x in X]
    found[2] = rule(start, end, X[2])
    done = extended_in_ink(_horizontal(), found, dark)[1][2]
    return done.start, done.end


def test_a_rule_of_a_grid_that_seems_to_end_at_a_t_goes_on_as_far_as_it_shows() -> None:
    assert _extended_in_ink(50, 210, (50, 370)) == (50, 370)
    assert _extended_in_ink(210, 370, (50, 370)) == (50, 370)
    assert _extended_in_ink(50, 210, (50, 290)) == (50, 290)


@pytest.mark.parametrize("level", [10, 14, 30])
def test_a_rule_of_a_grid_ends_where_it_shows_no_more(level: int) -> None:
    assert _extended_in_ink(50, 210, (50, 370), level) == (50, 210)


@pytest.mark.parametrize(("aside", "end"), [(3, 370), (4, 210)])
def test_a_rule_of_a_bent_page_goes_on_a_little_aside(aside: int, end: int) -> None:
    dark = np.full((420, 560), 10, np.uint8)
    dark[Y[0] : Y[2], X[2] - 1 : X[2] + 2] = 60
    dark[Y[2] : Y[-1], X[2] + aside - 1 : X[2] + aside + 2] = 60
    vertical = [rule(Y[0], Y[-1], x) for x in X]
    vertical[2] = rule(Y[0], Y[2], X[2])
    assert extended_in_ink(_horizontal(), vertical, dark)[1][2].end == end


def test_writing_in_one_cell_hides_no_rule_that_shows_behind_it() -> None:
    dark = np.full((420, 560), 10, np.uint8)
    dark[Y[0] : Y[-1], X[2] - 1 : X[2] + 2] = 60
    dark[Y[2] + 5 : Y[3] - 5, X[2] - 20 : X[2] + 20] = 90
    vertical = [rule(Y[0], Y[-1], x) for x in X]
    vertical[2] = rule(Y[0], 210, X[2])
    horizontal = [*_horizontal(), rule(X[0], X[-1], 450)]
    dark[370:450, X[2] - 1 : X[2] + 2] = 60
    vertical = [rule(one.start, 450 if one.end == Y[-1] else one.end, one.at(0.0)) for one in vertical]
    done = extended_in_ink(horizontal, vertical, np.pad(dark, ((0, 60), (0, 0)), constant_values=10))[1][2]
    assert done.end == 450


def test_a_rule_that_meets_two_others_goes_no_further() -> None:
    dark = np.full((420, 560), 10, np.uint8)
    dark[Y[0] : Y[-1], X[2] - 1 : X[2] + 2] = 60
    short = rule(Y[0], Y[1], X[2])
    assert extended_in_ink(_horizontal(), [short], dark)[1] == [short]
