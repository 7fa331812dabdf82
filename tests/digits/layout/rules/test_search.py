from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from digits.layout.rules.search import find_rules
from tests.behaviour.drawing import shadowed
from tests.digits.layout.forms import LEAST, X, Y, mask_of, ruled_grid, sheet, write


def _rules(grey: Grey, least: int = LEAST) -> Rules:
    mask = np.asarray(255 - grey > least, np.uint8)
    return find_rules(np.asarray(255 - grey, np.uint8), mask, Scale.of(mask), least)


def _horizontal(grey: Grey) -> list[Rule]:
    return sorted(_rules(grey).horizontal, key=lambda rule: float(rule.at(rule.start)))


@pytest.mark.parametrize("thickness", [1, 2, 4, 7])
@pytest.mark.parametrize("level", [0, 120, 180])
def test_find_rules_finds_the_horizontal_lines_of_a_grid(thickness: int, level: int) -> None:
    found = _horizontal(ruled_grid(sheet(440, 340), X, Y, thickness, level))
    assert [float(rule.at(220)) for rule in found] == pytest.approx(Y, abs=1)
    for rule in found:
        assert (rule.start, rule.end) == pytest.approx((X[0], X[-1]), abs=thickness + 2)
        assert rule.thickness == pytest.approx(thickness, abs=1)
        assert rule.covered > 0.95
        assert not rule.dashed


def test_find_rules_finds_the_vertical_lines_of_a_grid() -> None:
    found = _rules(ruled_grid(sheet(440, 340), X, Y)).vertical
    assert sorted(float(rule.at(170)) for rule in found) == pytest.approx(X, abs=1)


def test_find_rules_follows_a_line_that_leans() -> None:
    grey = sheet(500, 300)
    cv2.line(grey, (30, 100), (470, 150), 0, 3)
    (rule,) = _horizontal(grey)
    assert rule.slope == pytest.approx(50 / 440, abs=0.01)
    assert [float(rule.at(x)) for x in (30, 250, 470)] == pytest.approx([100, 125, 150], abs=1.5)


@pytest.mark.parametrize(("thickness", "high"), [(3, 3), (3, 10), (4, 4), (6, 16)])
def test_writing_that_stands_on_a_line_draws_it_nowhere(thickness: int, high: int) -> None:
    grey = sheet(500, 200)
    grey[100 : 100 + thickness, 40:460] = 0
    grey[100 - high : 100, 50:130] = 0
    (rule,) = (rule for rule in _horizontal(grey) if rule.length > 200)
    assert (rule.start, rule.end) == pytest.approx((40, 459), abs=1)
    assert float(rule.at(rule.start)) == pytest.approx(100 + (thickness - 1) / 2, abs=0.5)


def test_find_rules_follows_a_line_that_the_page_bends() -> None:
    grey = sheet(600, 300)
    x = np.arange(30.0, 570.0)
    y = 150 + 8 * ((x - 300) / 270) ** 2
    points = np.rint(np.stack([x, y], axis=1)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(grey, [points], False, 0, 3)
    (rule,) = _horizontal(grey)
    assert rule.at(x) == pytest.approx(y, abs=2)


def test_find_rules_puts_the_pieces_of_one_line_together() -> None:
    grey = sheet(600, 200)
    grey[100:103, 40:560] = 0
    grey[100:103, 300:320] = 255
    (rule,) = _horizontal(grey)
    assert (rule.start, rule.end) == pytest.approx((40, 559), abs=2)


@pytest.mark.parametrize(
    "gap",
    [
        12,
        40,
        70,
        95,
        140,
    ],
)
def test_find_rules_finds_lines_that_follow_each_other(gap: int) -> None:
    grey = sheet(400, 200)
    grey[100:102, 40:110] = grey[100:102, 110 + gap : 180 + gap] = 0
    found = _horizontal(grey)
    assert found
    assert min(rule.start for rule in found) == pytest.approx(40, abs=2)
    assert max(rule.end for rule in found) == pytest.approx(179 + gap, abs=2)


def test_find_rules_finds_a_dashed_line() -> None:
    found = [rule for rule in _horizontal(ruled_grid(sheet(440, 340), X, Y, 2, dash=7)) if rule.length > 200]
    assert [float(rule.at(220)) for rule in found] == pytest.approx(Y, abs=1.5)
    assert all(rule.dashed and rule.covered < 0.9 for rule in found)


def test_find_rules_finds_a_faint_line_among_dark_ones() -> None:
    grey = ruled_grid(sheet(440, 340), X, (50, 290), 3)
    grey[170:172, 40:400] = np.minimum(grey[170:172, 40:400], 225)
    found = _rules(grey, least=20).horizontal
    assert sorted(float(rule.at(220)) for rule in found) == pytest.approx((50, 170.5, 290), abs=1)


@pytest.mark.parametrize("blur", [2, 4, 6])
def test_find_rules_finds_the_soft_lines_of_a_blurred_picture(blur: int) -> None:
    sharp = ruled_grid(sheet(1320, 1020), tuple(3 * x for x in X), tuple(3 * y for y in Y), 12)
    found = _horizontal(np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur), np.uint8))
    assert [float(rule.at(660)) for rule in found] == pytest.approx([3 * y for y in Y], abs=2)


def test_find_rules_finds_the_lines_on_both_sides_of_a_shadow() -> None:
    found = _rules(shadowed(ruled_grid(sheet(440, 340), X, Y, 2), 0.3), least=90)
    assert len([rule for rule in found.horizontal if rule.length > 340]) == 4


def test_find_rules_finds_two_lines_beside_each_other() -> None:
    grey = sheet(500, 200)
    grey[80:82, 40:460] = grey[87:89, 40:460] = 0
    assert [float(rule.at(250)) for rule in _horizontal(grey)] == pytest.approx((80.5, 87.5), abs=1)


@pytest.mark.xfail(
    strict=True, reason="where a page may bend a rule a step of a few pixels is taken for a bend"
)
def test_find_rules_keeps_the_lines_of_tables_beside_each_other_apart() -> None:
    grey = ruled_grid(ruled_grid(sheet(820, 340), X, Y), (420, 540, 660, 780), tuple(y + 6 for y in Y))
    horizontal = _horizontal(grey)
    assert len(horizontal) == 8
    assert all(rule.length < 400 for rule in horizontal)


def test_digits_are_no_rules() -> None:
    assert _horizontal(write(sheet(700, 160), "3689", (40, 40), 80, pen=7)) == []


def test_a_thick_bar_is_no_rule() -> None:
    grey = write(sheet(700, 300), "3689", (40, 40), 80, pen=5)
    grey[200:260, 50:600] = 0
    assert not [rule for rule in _horizontal(grey) if 195 < rule.at(300) < 265]


def test_a_blank_sheet_has_no_rules() -> None:
    assert _rules(sheet(300, 200)) == ([], [])


@pytest.mark.parametrize("pen", [3, 8, 20])
def test_scale_is_about_the_width_of_the_strokes(pen: int) -> None:
    assert Scale.of(mask_of(write(sheet(700, 300), "20538", (30, 60), 140, pen))).stroke == pytest.approx(
        pen, rel=0.4
    )


@pytest.mark.parametrize(("step", "rules"), [(48, 0), (16, 2)])
def test_blots_in_the_cells_of_columns_are_no_dashed_rules(step: int, rules: int) -> None:
    """Blurred digits are blots at even steps, one in a cell. A dashed rule has several dashes in a cell."""
    x, y = range(40, 40 + 10 * 48, 48), range(40, 40 + 10 * 48, 48)
    grey = ruled_grid(sheet(520, 520), x, y, 6)
    for top in range(y[0] + step // 2, y[-1], step):
        for left in (x[2], x[6]):
            grey[top - 6 : top + 6, left + 18 : left + 28] = 0
    found = _rules(grey).vertical
    assert sum(rule.dashed for rule in found) == rules
