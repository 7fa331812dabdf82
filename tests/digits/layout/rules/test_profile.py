from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.rules.profile import centred, followed, measured
from digits.layout.rules.rule import Rule
from tests.digits.layout.forms import rule, sheet, write


def _line(level: int = 255, start: int = 40, end: int = 460, thickness: int = 2, paper: int = 0) -> Grey:
    dark = np.full((200, 500), paper, np.uint8)
    dark[100 : 100 + thickness, start:end] = level
    return dark


def _ends(found: Rule | None) -> tuple[float, float]:
    assert found is not None
    return found.start, found.end


def _measured(one: Rule, dark: Grey) -> Rule | None:
    (found,) = measured([one], dark)
    return found


def _followed(one: Rule, dark: Grey) -> Rule:
    (found,) = followed([one], dark)
    return found


@pytest.mark.parametrize("level", [5, 20, 255])
@pytest.mark.parametrize(("start", "end"), [(40, 459), (40, 150), (200, 300), (400, 459)])
def test_a_rule_is_followed_on_where_an_edge_was_found_in_part(start: int, end: int, level: int) -> None:
    found = _measured(rule(start, end, 100.5), _line(level))
    assert _ends(found) == pytest.approx((40, 459), abs=2)
    assert found is not None
    assert found.covered > 0.98
    assert not found.dashed


def test_a_rule_ends_where_its_ink_does() -> None:
    assert _ends(_measured(rule(40, 480, 100.5), _line(end=300))) == pytest.approx((40, 299), abs=2)


def test_a_rule_is_followed_to_the_pictures_edge() -> None:
    assert _ends(_measured(rule(200, 300, 100.5), _line(start=0, end=500))) == (0, 499)


def test_a_rule_that_leans_is_followed_on() -> None:
    dark, x = np.zeros((200, 500), np.uint8), np.arange(40, 460)
    for across in (0, 1):
        dark[np.rint(60 + 0.2 * (x - 40)).astype(int) + across, x] = 200
    found = _measured(rule(200, 300, 92.5, slope=0.2), dark)
    assert _ends(found) == pytest.approx((40, 459), abs=3)
    assert found is not None
    assert found.slope == pytest.approx(0.2, abs=0.01)


def test_a_rule_is_not_followed_over_a_wide_gap() -> None:
    dark = _line(end=200)
    dark[100:102, 400:440] = 255
    assert _ends(_measured(rule(60, 180, 100.5), dark)) == pytest.approx((40, 199), abs=2)


@pytest.mark.parametrize("apart", [6, 8, 10, 15])
@pytest.mark.parametrize("level", [6, 20])
def test_a_faint_rule_beside_dark_ones_is_found(apart: int, level: int) -> None:
    dark = _line(level)
    dark[100 - apart : 102 - apart, 20:480] = dark[100 + apart : 102 + apart, 20:480] = 255
    found = _measured(rule(150, 350, 100.5), dark)
    assert _ends(found) == pytest.approx((40, 459), abs=2)


def test_a_faint_rule_that_dark_ones_cross_is_found_as_far_as_it_goes() -> None:
    dark = _line(12)
    dark[20:180, 60:480:60] = 255
    found = _measured(rule(150, 250, 100.5), dark)
    assert _ends(found) == pytest.approx((40, 459), abs=3)
    assert found is not None
    assert found.covered > 0.98


def test_a_rule_on_grey_paper_is_found() -> None:
    assert _ends(_measured(rule(150, 250, 100.5), _line(70, paper=50))) == pytest.approx((40, 459), abs=2)


@pytest.mark.parametrize("paper", [0, 50, 255])
def test_paper_alone_is_no_rule(paper: int) -> None:
    assert _measured(rule(40, 460, 100.5), np.full((200, 500), paper, np.uint8)) is None


@pytest.mark.parametrize("seed", range(5))
def test_rough_paper_alone_is_no_rule(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(20, 2, (200, 500))
    assert _measured(rule(40, 460, 100.5), noise.clip(0, 255).astype(np.uint8)) is None


def test_the_edge_of_a_dark_area_is_no_rule() -> None:
    dark = np.zeros((200, 500), np.uint8)
    dark[100:, 40:460] = 255
    assert _measured(rule(40, 460, 100.5), dark) is None


def test_even_dashes_are_a_dashed_rule() -> None:
    dark = _line()
    for gap in range(50, 460, 16):
        dark[100:102, gap : gap + 6] = 0
    found = _measured(rule(40, 460, 100.5), dark)
    assert found is not None
    assert found.dashed
    assert found.covered == pytest.approx(10 / 16, abs=0.05)


def test_writing_that_touches_even_pieces_of_a_rule_makes_them_no_less_even() -> None:
    dark = _line(end=340)
    for gap in (98, 178, 258):
        dark[100:102, gap : gap + 22] = 0
    for place in (50, 62, 85, 130, 170, 205, 217, 240, 290, 330):
        dark[90:100, place : place + 4] = 255
    found = _measured(rule(40, 460, 100.5), dark)
    assert found is not None
    assert found.dashed


@pytest.mark.parametrize("apart", [3, 4, 5])
def test_a_rule_that_nearly_touches_another_is_found(apart: int) -> None:
    dark = _line()
    dark[100 + apart : 102 + apart, 40:460] = 255
    assert _ends(_measured(rule(40, 460, 100.5), dark)) == pytest.approx((40, 459), abs=2)


def test_pieces_at_uneven_distances_are_no_rule() -> None:
    dark = np.zeros((200, 500), np.uint8)
    for start, end in ((40, 110), (118, 126), (170, 220), (226, 260), (330, 345), (350, 440)):
        dark[100:102, start:end] = 255
    assert _measured(rule(40, 440, 100.5), dark) is None


def test_digits_in_a_row_are_no_rule() -> None:
    dark = np.asarray(255 - write(sheet(500, 200), "380962", (30, 60), 80, 5), np.uint8)
    assert _measured(rule(30, 470, 100), dark) is None


def test_a_line_that_bends_more_than_a_page_is_no_rule() -> None:
    x, dark = np.arange(40, 460), np.zeros((200, 500), np.uint8)
    square = 40 / 210**2
    y = 60 + square * (x - 250.0) ** 2
    dark[np.rint(y).astype(int), x] = 255
    course = (square, -500 * square, 60 + square * 250**2)
    assert _measured(Rule(40, 459, course, 1, 1.0), dark) is None


def test_a_course_beside_the_ink_is_drawn_to_its_middle() -> None:
    found = _measured(rule(60, 440, 101.4), _line())
    assert found is not None
    assert float(found.at(250.0)) == pytest.approx(100.5, abs=0.3)


def test_rules_measured_at_once_are_what_each_is_alone() -> None:
    dark = _line()
    dark[40:46, 20:300] = 120
    dark[150:151, 0:500:4] = dark[150:151, 1:500:4] = dark[150:151, 2:500:4] = 60
    rules = [rule(40, 460, 100.5), rule(30, 280, 43, 6), rule(10, 490, 150, 1), rule(40, 460, 75), None]
    found = measured(rules, dark)
    assert [one is None for one in found] == [False, False, False, True, True]
    for one, together in zip(rules, found, strict=True):
        if one is not None and together is not None:
            alone = _measured(one, dark)
            assert alone is not None
            assert (together.start, together.end) == (alone.start, alone.end)
            assert (together.thickness, together.covered, together.dashed) == (
                alone.thickness,
                alone.covered,
                alone.dashed,
            )
            assert together.course == pytest.approx(alone.course, abs=1e-6)
            assert float(together.at(250.0)) == pytest.approx(float(one.at(250.0)), abs=0.6)


def test_nothing_to_measure_is_nothing_found() -> None:
    assert measured([], _line()) == []
    assert measured([None], _line()) == [None]


def test_a_rule_outside_the_picture_is_none() -> None:
    assert _measured(rule(40, 460, -50), _line()) is None
    assert _measured(rule(600, 800, 100.5), _line()) is None


@pytest.mark.parametrize(("dash", "gap"), [(6, 4), (3, 12)])
def test_a_dashed_rule_is_followed_on_as_far_as_its_dashes_go(dash: int, gap: int) -> None:
    dark = np.zeros((200, 500), np.uint8)
    for left in range(40, 460, dash + gap):
        dark[100:102, left : left + dash] = 200
    part = replace(rule(160, 300, 100.5), dashed=True, covered=dash / (dash + gap), step=dash + gap)
    assert _ends(_followed(part, dark)) == pytest.approx((40, 459), abs=dash + gap)


def test_a_dashed_rule_ends_where_paper_begins() -> None:
    dark = np.zeros((200, 500), np.uint8)
    for left in range(40, 300, 10):
        dark[100:102, left : left + 6] = 200
    dark[100:102, 440:452] = 200
    part = replace(rule(160, 280, 100.5), dashed=True, covered=0.6, step=10)
    assert _ends(_followed(part, dark)) == pytest.approx((40, 296), abs=2)


def test_rules_are_followed_at_once_and_those_without_ink_are_left_out() -> None:
    dark = np.zeros((200, 500), np.uint8)
    for left in range(40, 460, 10):
        dark[100:102, left : left + 6] = 200
    for left in range(100, 400, 15):
        dark[150:152, left : left + 3] = 200
    parts = [
        replace(rule(160, 300, place), dashed=True, covered=covered)
        for place, covered in ((50.0, 0.6), (100.5, 0.6), (150.5, 0.2))
    ]
    assert [_ends(found) for found in followed(parts, dark)] == [(40, 455), (100, 387)]
    assert followed([], dark) == []


def test_a_rule_beside_its_ink_is_brought_to_the_middle_of_it() -> None:
    dark = np.zeros((60, 200), np.uint8)
    for x in range(20, 180):
        if x % 12 < 7:
            y = 28 + (x - 20) // 40
            dark[y : y + 3, x] = 255
    (rule,) = centred([Rule(20.0, 179.0, (0.0, 0.0, 31.0), 3.0, 0.6, True, 12.0)], dark)
    assert [rule.at(x) for x in (30.0, 170.0)] == pytest.approx([28.8, 32.3], abs=0.7)
