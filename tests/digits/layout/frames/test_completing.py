from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from digits.layout.frames.completing import completed
from digits.layout.rules.rule import Rule
from tests.digits.layout.forms import rule

X, Y = (40, 160, 280, 400, 520), (50, 130, 210, 290, 370)


def _lying() -> list[Rule]:
    return [rule(X[0], X[-1], y) for y in Y]


def _standing(start: float, end: float) -> tuple[float, float]:
    """The ends of a standing rule of a whole grid, found from start to end."""
    found = [rule(Y[0], Y[-1], x) for x in X]
    found[2] = rule(start, end, X[2])
    done = completed(_lying(), found)[1][2]
    return done.start, done.end


def test_a_whole_grid_stays_as_it_is() -> None:
    standing = [rule(Y[0], Y[-1], x) for x in X]
    done = completed(_lying(), standing)
    ends = [(one.start, one.end) for one in chain(*done)]
    assert ends == [(40, 520)] * 5 + [(50, 370)] * 5


def test_a_rule_found_in_part_is_drawn_to_the_next_crossing_and_on() -> None:
    assert _standing(50, 250) == (50, 370)
    assert _standing(170, 370) == (50, 370)


def test_a_rule_found_in_its_middle_is_drawn_on_at_both_ends() -> None:
    assert _standing(90, 335) == (50, 370)


@pytest.mark.parametrize("last", [210, 213, 290])
def test_a_rule_that_ends_at_a_t_stays(last: int) -> None:
    assert _standing(50, last) == (50, last)
    assert _standing(420 - last, 370) == (420 - last, 370)


def test_a_rule_that_ends_just_before_a_crossing_reaches_it() -> None:
    assert _standing(52, 365) == (50, 370)


def test_a_rule_that_meets_two_others_is_not_drawn_on_far() -> None:
    assert _standing(50, 165) == (50, 165)


def test_a_rule_that_meets_two_others_is_drawn_on_to_one_near() -> None:
    assert _standing(50, 190) == (50, 210)


def test_a_rule_that_meets_no_others_stays() -> None:
    assert _standing(140, 200) == (140, 200)


def test_lying_rules_are_drawn_on_as_standing_ones_are() -> None:
    lying = _lying()
    lying[1] = rule(40, 340, Y[1])
    done = completed(lying, [rule(Y[0], Y[-1], x) for x in X])[0][1]
    assert (done.start, done.end) == (40, 520)


def test_a_rule_is_not_drawn_on_to_one_that_ends_before_it_gets_there() -> None:
    lying = _lying()
    lying[3], lying[4] = rule(40, 160, Y[3]), rule(40, 160, Y[4])
    found = [rule(Y[0], Y[-1], X[0]), rule(Y[0], Y[-1], X[1]), rule(50, 245, X[2]), rule(50, 210, X[3])]
    done = completed(lying, found)[1][2]
    assert (done.start, done.end) == (50, 245)


def test_what_is_drawn_on_keeps_its_course() -> None:
    lying = _lying()
    lying[1] = rule(40, 340, Y[1], slope=0.01)
    done = completed(lying, [rule(Y[0], Y[-1], x) for x in X])[0][1]
    assert done.course == lying[1].course
    assert done.end == pytest.approx(520, abs=1)


def test_nothing_is_drawn_on_where_nothing_is() -> None:
    assert completed([], []) == ([], [])
    assert [(one.start, one.end) for one in completed([rule(0, 100, 50)], [])[0]] == [(0, 100)]


def test_a_dashed_rule_is_drawn_on_over_one_hidden_dash() -> None:
    lying = [rule(40, 280, 50), rule(40, 280, 130)]
    standing = [rule(50, 130, 40), rule(72, 130, 160), rule(50, 130, 280)]
    assert completed(lying, standing)[1][1].start == 72
    standing[1] = replace(standing[1], dashed=True, step=16)
    assert completed(lying, standing)[1][1].start == 50
