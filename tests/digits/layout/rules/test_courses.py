from __future__ import annotations

import numpy as np
import pytest

from digits.layout.rules.courses import Courses, levels_at, recentred
from digits.layout.rules.rule import Rule, heights
from tests.digits.layout.forms import rule


def test_a_course_goes_on_straight_beyond_the_ends_of_a_rule() -> None:
    square = 1e-3
    bent = Rule(100, 200, (square, 0.0, 50.0), 2, 1.0)
    places = np.array([0.0, 100.0, 150.0, 200.0, 300.0])
    slope = square * (200 + 100)
    within = 50 + square * places**2
    at = Courses.of([bent, rule(0, 400, 20, slope=0.1)]).at(places)
    assert at[0, 1:4] == pytest.approx(within[1:4])
    assert at[0, [0, 4]] == pytest.approx([within[1] - 100 * slope, within[3] + 100 * slope])
    assert at[1] == pytest.approx(20 + 0.1 * places)


def test_levels_beyond_the_edge_are_those_at_it() -> None:
    dark = np.arange(12, dtype=np.uint8).reshape(3, 4)
    across = np.array([[-5.0, 0.4, 0.6, 2.0], [9.0, 1.0, 1.0, 2.4]])
    assert levels_at(dark, np.arange(4.0), across).tolist() == [[0, 1, 6, 11], [8, 5, 6, 11]]


def test_rules_of_all_widths_are_drawn_to_the_middle_of_their_ink_at_once() -> None:
    dark, x = np.full((300, 500), 10, np.uint8), np.arange(500.0)
    dark[100:102, 40:460], dark[150:159, 40:460], dark[220:221, 40:460] = 200, 120, 30
    rules = [rule(40, 460, 101.6, 2), rule(40, 460, 152.0, 9), rule(40, 460, 219.5, 1)]
    inked = np.tile((x >= 40) & (x < 460), (3, 1))
    inked[1, 100:] = False
    found = recentred(rules, inked, dark)
    assert heights(found, np.array(250.0)) == pytest.approx([100.5, 154.0, 220.0], abs=0.1)


def test_a_course_with_hardly_any_ink_on_it_stays_as_it_is() -> None:
    dark = np.zeros((200, 500), np.uint8)
    dark[103, 40:140] = 200
    (found,) = recentred([rule(40, 460, 100.0)], np.ones((1, 500), bool), dark)
    assert found == pytest.approx(rule(40, 460, 100.0).course)
