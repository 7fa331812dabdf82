from __future__ import annotations

import numpy as np
import pytest

from digits.layout.rules.rule import Rules, between, erased, fitted, fitted_each, heights
from tests.digits.layout.forms import X, Y, mask_of, rule, ruled_grid, sheet


def test_a_rule_knows_where_it_lies() -> None:
    found = rule(100, 300, 50, slope=0.1)
    assert (found.length, found.middle) == (200, 200)
    assert found.slope == pytest.approx(0.1)
    assert float(found.at(300.0)) == pytest.approx(70)
    assert found.straight_on(400) == pytest.approx(80)


def test_the_path_of_a_vertical_rule_goes_down() -> None:
    found = rule(100, 300, 50, slope=0.1)
    horizontal, vertical = found.path(False)[:, 0], found.path(True)[:, 0]
    assert horizontal[[0, -1]].tolist() == [[100, 50], [300, 70]]
    assert vertical.tolist() == horizontal[:, ::-1].tolist()
    assert found.path(False, beyond=20)[[0, -1], 0, 0].tolist() == [80, 320]


def test_between_two_rules_another_stands_at_its_share_of_the_way() -> None:
    found = between(rule(100, 300, 50), rule(120, 340, 90, slope=0.1), 0.25)
    assert (found.start, found.end) == pytest.approx((105, 310))
    assert float(found.at(200.0)) == pytest.approx(0.75 * 50 + 0.25 * 98)


def test_wiped_takes_the_ink_of_rules_and_leaves_the_mask_as_it_is() -> None:
    mask = mask_of(ruled_grid(sheet(440, 340), X, Y, 3))
    mask[80:100, 90:110] = 1
    before = mask.copy()
    rest = erased(mask, Rules([rule(40, 400, y, 3) for y in Y], [rule(50, 290, x, 3) for x in X]))
    assert np.array_equal(mask, before)
    assert rest[80:100, 90:110].all()
    assert rest.sum() == 20 * 20


def test_fitted_finds_straight_lines_and_parabolas() -> None:
    x = np.linspace(1000, 5000, 50)
    straight, bent = (0.0, 0.2, -30.0), (2e-5, -0.1, 400.0)
    assert heights(np.array(fitted(x, 0.2 * x - 30, False)), x) == pytest.approx(
        heights(np.array(straight), x)
    )
    found = fitted(x, heights(np.array(bent), x), True)
    assert heights(np.array(found), x) == pytest.approx(heights(np.array(bent), x), abs=1e-3)


def test_fitted_each_goes_by_the_weights_and_bends_only_what_is_bent() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0, 50.0])
    weights = np.array([[1.0, 1.0, 1.0, 1e-12], [1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0]])
    courses = fitted_each(np.tile(x, (3, 1)), np.tile(y, (3, 1)), np.array([False, False, True]), weights)
    assert heights(courses[0], x[:3]) == pytest.approx(5.0, abs=1e-3)
    assert courses[:, 0].tolist() == [0.0, 0.0, pytest.approx(7.5)]
    straight = np.polyval(np.polyfit(x[[0, 1, 3]], y[[0, 1, 3]], 1), x)
    assert heights(courses[1], x) == pytest.approx(straight, abs=1e-6)
    assert heights(courses[2], x[[0, 1, 3]]) == pytest.approx(y[[0, 1, 3]], abs=1e-6)


def test_one_place_alone_makes_a_level_line() -> None:
    course = fitted(np.array([7.0, 7.0]), np.array([3.0, 3.0]), False)
    assert heights(np.array(course), np.array([7.0])) == pytest.approx(3.0)


def test_longest_is_the_length_of_the_longest_rule() -> None:
    assert Rules([rule(0, 10, 5)], [rule(0, 30, 5)]).longest == 30
    assert Rules([], []).longest == 0
