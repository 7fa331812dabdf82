from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.rules.dashes import dashed_rules, dashes_of
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import LEAST, mask_of, sheet, write

SCALE = Scale(2.0)


def _found(mask: Grey, scale: Scale = SCALE, level: int = 255) -> Rules:
    """The dashed rules of a mask, whose ink is as dark as `level`."""
    dark = np.asarray(level * mask, np.uint8)
    dashes = dashes_of(mask, dark, scale)
    assert dashes is not None
    return dashed_rules(dashes, dark, scale, LEAST)


def _places(rules: list[Rule]) -> list[int]:
    return sorted(round(float(rule.at(rule.middle))) for rule in rules)


def _dashed(dash: int, gap: int, slope: float = 0.0) -> Grey:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(40, 560, dash + gap):
        for x in range(left, left + dash):
            y = round(100 + slope * (x - 40))
            mask[y : y + 2, x] = 1
    return mask


def _dots(lines: list[int], size: int, step: int) -> Grey:
    """Vertical lines of dots at these places."""
    mask = np.zeros((200, 600), np.uint8)
    for left in lines:
        for top in range(20, 180, step):
            mask[top : top + size, left : left + size] = 1
    return mask


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.05, 0.15])
@pytest.mark.parametrize(("dash", "gap"), [(6, 4), (8, 8), (3, 3), (3, 12)])
def test_a_line_of_dashes_or_dots_is_a_dashed_rule(dash: int, gap: int, slope: float) -> None:
    mask = _dashed(dash, gap, slope if gap < 12 else slope / 3)
    (found,) = _found(mask).horizontal
    assert found.dashed
    assert found.step == pytest.approx(dash + gap, abs=1)
    assert (found.start, found.end) == pytest.approx((40, 559), abs=dash + gap)
    assert float(found.at(300.0)) == pytest.approx(np.argmax(mask[:, 295:306].any(axis=1)), abs=2)


@pytest.mark.parametrize("apart", [9, 14, 40])
def test_two_lines_of_dots_beside_each_other_are_two_rules(apart: int) -> None:
    found = _found(_dots([100, 100 + apart, 300, 300 + apart], 3, 8))
    assert _places(found.vertical) == pytest.approx([101, 101 + apart, 301, 301 + apart], abs=1)


@pytest.mark.parametrize("step", [8, 11])
def test_dashes_across_the_way_from_line_to_line_are_no_rule(step: int) -> None:
    found = _found(_dots(list(range(60, 500, 22)), 4, step))
    assert len(found.vertical) == 20
    assert found.horizontal == []


def test_corners_of_boxes_do_not_turn_a_rule() -> None:
    mask = np.zeros((120, 600), np.uint8)
    for left in range(40, 560, 10):
        mask[30:32, left : left + 6] = 1
    for left in range(40, 300, 40):
        mask[30:40, left : left + 2] = 1  # corners on the rule's left half
    (found,) = _found(mask).horizontal
    assert float(found.at(50.0)) == pytest.approx(30.5, abs=0.5)
    assert float(found.at(550.0)) == pytest.approx(30.5, abs=0.5)


def test_a_rule_goes_on_where_writing_touches_its_dashes() -> None:
    mask = _dashed(6, 4)
    mask[60:150, 540:544] = 1
    for left in (520, 530, 540, 550):
        mask[99:103, left - 8 : left + 6] |= mask[101:102, 540:541] * (left == 540)
    (found,) = _found(mask).horizontal
    assert found.end >= 550


@pytest.mark.parametrize(("size", "count"), [(1, 300), (2, 150)])
def test_specks_between_dots_do_not_hide_them(size: int, count: int) -> None:
    mask = _dots([100, 300], 8, 20)
    rng = np.random.default_rng(3)
    for x, y in zip(rng.integers(0, 598, count), rng.integers(0, 198, count), strict=True):
        mask[y : y + size, x : x + size] = 1
    assert _places(_found(mask, Scale(6.0)).vertical) == pytest.approx([103, 303], abs=2)


def test_dots_far_from_each_other_are_no_rule() -> None:
    mask = _dots([100, 200, 300], 2, 15)
    assert _found(mask) == Rules([], [])


def test_a_few_small_pieces_make_no_dashed_line() -> None:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(100, 400, 100):
        mask[100:104, left : left + 8] = 1
    assert dashes_of(mask, mask, Scale(4)) is None


def test_digits_are_no_dashes() -> None:
    mask = mask_of(write(sheet(700, 160), "36890245", (40, 40), 80, pen=7))
    assert dashes_of(mask, mask, Scale(7)) is None


@pytest.mark.parametrize(("level", "rules"), [(LEAST + 4, 0), (2 * LEAST, 1)])
def test_dashes_hardly_darker_than_the_darkest_paper_are_noise(level: int, rules: int) -> None:
    assert len(_found(_dashed(6, 4), level=level).horizontal) == rules


def test_specks_all_over_a_sheet_are_no_dashed_rule() -> None:
    mask = np.zeros((200, 600), np.uint8)
    rng = np.random.default_rng(5)
    for x, y in zip(rng.integers(10, 590, 60), rng.integers(10, 190, 60), strict=True):
        mask[y : y + 3, x : x + 3] = 1
    assert _found(mask) == Rules([], [])


@pytest.mark.parametrize(("size", "stroke"), [(18, 5.0), (2, 6.0)])
def test_rows_much_thicker_or_thinner_than_strokes_are_no_dashed_rule(size: int, stroke: float) -> None:
    assert _found(_dots([100, 300], size, size + 2), Scale(stroke)).vertical == []


@pytest.mark.parametrize("seed", range(4))
def test_short_rows_among_much_dirt_are_mostly_no_dashed_rules(seed: int) -> None:
    """Among specks as dense as in a noisy photo, there are at least 14 rows with even steps by chance."""
    mask = np.zeros((400, 400), np.uint8)
    for x, y in np.random.default_rng(seed).integers(2, 396, (600, 2)):
        mask[y : y + 2, x : x + 2] = 1
    found = _found(mask)
    assert len(found.horizontal) + len(found.vertical) <= 10


def test_dashed_boxes_that_stand_close_to_each_other_are_no_dirt() -> None:
    mask = np.zeros((200, 600), np.uint8)
    for left in range(40, 540, 60):
        for side in (left, left + 52):
            for top in range(60, 140, 8):
                mask[top : top + 4, side : side + 2] = 1
        for along in range(left, left + 52, 8):
            mask[60:62, along : along + 4] = 1
            mask[138:140, along : along + 4] = 1
    found = _found(mask)
    assert len(found.vertical) == 18
    assert _places(found.horizontal) == pytest.approx([60, 138], abs=2)
