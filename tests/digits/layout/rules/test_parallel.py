from __future__ import annotations

import numpy as np
import pytest

from digits.layout.rules.parallel import parallel, weighted_median
from tests.digits.layout.forms import rule


def test_rules_that_lean_alike_stay() -> None:
    rules = [rule(0, 400, y, slope=0.1) for y in range(50, 300, 50)]
    assert parallel(rules) == rules


def test_a_stroke_that_leans_otherwise_goes() -> None:
    rules = [rule(0, 400, y) for y in range(50, 300, 50)]
    assert parallel([*rules, rule(100, 150, 120, slope=0.2)]) == rules


def test_long_strokes_that_lean_otherwise_do_not_part_rules_from_each_other() -> None:
    teeth = [rule(56, 80, x) for x in (26, 69, 112, 156, 199)]
    strokes = [rule(37, 74, 56, slope=-0.135), rule(40, 79, 141, slope=-0.36)]
    assert parallel([*teeth, *strokes]) == teeth


def test_rules_in_perspective_lean_more_from_one_side_to_the_other_and_stay() -> None:
    rules = [rule(0, 400, 50 + 40 * k, slope=0.04 * k - 0.12) for k in range(7)]
    assert parallel(rules) == rules


def test_of_two_rules_none_says_how_the_other_leans() -> None:
    rules = [rule(0, 400, 50), rule(0, 300, 100, slope=0.4)]
    assert parallel(rules) == rules
    assert parallel([]) == []


@pytest.mark.parametrize(
    ("values", "weights", "middle"),
    [((1, 2, 3), (1, 1, 1), 2), ((3, 1, 2), (10, 1, 1), 3), ((5,), (2,), 5), ((1, 9), (3, 1), 1)],
)
def test_weighted_median_is_the_value_up_to_which_half_of_the_weight_lies(
    values: tuple[float, ...], weights: tuple[float, ...], middle: float
) -> None:
    assert weighted_median(np.array(values, float), np.array(weights, float)) == middle
