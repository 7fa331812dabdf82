from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.layout.rules import Mask, Rule, Scale, dashes_of, find_rules
from tests.digits.layout.forms import mask_of, ruled_grid, sheet, write

X, Y = (40, 160, 280, 400), (50, 130, 210, 290)


def _lying(mask: Mask) -> list[Rule]:
    scale = Scale.of(mask)
    return sorted(
        find_rules(mask, dashes_of(mask, scale), scale), key=lambda rule: float(rule.at(rule.start))
    )


@pytest.mark.parametrize("thickness", [1, 2, 4, 7])
def test_find_rules_finds_the_lying_lines_of_a_grid(thickness: int) -> None:
    found = _lying(mask_of(ruled_grid(sheet(440, 340), X, Y, thickness)))
    assert [float(rule.at(220)) for rule in found] == pytest.approx(Y, abs=1)
    for rule in found:
        assert (rule.start, rule.end) == pytest.approx((X[0], X[-1]), abs=thickness + 2)
        assert rule.thickness == pytest.approx(thickness, abs=1)
        assert rule.covered > 0.95
        assert not rule.dashed


def test_find_rules_of_a_mask_turned_over_finds_the_standing_ones() -> None:
    found = _lying(np.ascontiguousarray(mask_of(ruled_grid(sheet(440, 340), X, Y)).T))
    assert [float(rule.at(170)) for rule in found] == pytest.approx(X, abs=1)


def test_find_rules_follows_a_line_that_leans() -> None:
    mask = np.zeros((300, 500), np.uint8)
    cv2.line(mask, (30, 100), (470, 150), 1, 3)
    (rule,) = _lying(mask)
    assert rule.slope == pytest.approx(50 / 440, abs=0.01)
    assert [float(rule.at(x)) for x in (30, 250, 470)] == pytest.approx([100, 125, 150], abs=1.5)


def test_find_rules_follows_a_line_that_the_page_bends() -> None:
    mask = np.zeros((300, 600), np.uint8)
    x = np.arange(30.0, 570.0)
    y = 150 + 8 * ((x - 300) / 270) ** 2
    points = np.rint(np.stack([x, y], axis=1)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(mask, [points], False, 1, 3)
    (rule,) = _lying(mask)
    assert rule.at(x) == pytest.approx(y, abs=2)


def test_find_rules_puts_the_pieces_of_one_line_together() -> None:
    mask = np.zeros((200, 600), np.uint8)
    mask[100:103, 40:560] = 1
    mask[100:103, 300:320] = 0
    (rule,) = _lying(mask)
    assert (rule.start, rule.end) == pytest.approx((40, 559), abs=2)


def test_find_rules_finds_a_dashed_line() -> None:
    found = [
        rule for rule in _lying(mask_of(ruled_grid(sheet(440, 340), X, Y, 2, dash=7))) if rule.length > 200
    ]
    assert [float(rule.at(220)) for rule in found] == pytest.approx(Y, abs=1.5)
    assert all(rule.dashed and rule.covered < 0.9 for rule in found)


def test_a_few_small_pieces_make_no_dashed_line() -> None:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(100, 400, 100):
        mask[100:104, left : left + 8] = 1
    assert dashes_of(mask, Scale(4)) is None


def test_digits_are_no_rules() -> None:
    assert _lying(mask_of(write(sheet(700, 160), "3689", (40, 40), 80, pen=7))) == []


def test_a_thick_bar_is_no_rule() -> None:
    mask = mask_of(write(sheet(700, 300), "3689", (40, 40), 80, pen=5))
    mask[200:260, 50:600] = 1
    assert not [rule for rule in _lying(mask) if 195 < rule.at(300) < 265]


@pytest.mark.parametrize("pen", [3, 8, 20])
def test_scale_is_about_the_width_of_the_strokes(pen: int) -> None:
    assert Scale.of(mask_of(write(sheet(700, 300), "20538", (30, 60), 140, pen))).stroke == pytest.approx(
        pen, rel=0.4
    )
