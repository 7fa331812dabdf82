from __future__ import annotations

from itertools import pairwise

import pytest

from digits.ink.sheet import Box
from digits.layout.numbers import gaps, widest_within

NARROWEST, WIDEST = (
    0.45,
    0.85,
)  # in heights of the line: a gap that may separate two numbers, and one that certainly does


def _boxes(*apart: int) -> list[Box]:
    """Digits of 40 x 80 pixels with these gaps between them."""
    boxes: list[Box] = [(10, 20, 50, 100)]
    for gap in apart:
        right = boxes[-1][2]
        boxes.append((right + gap, 20, right + gap + 40, 100))
    return boxes


def _spaces(*apart: int) -> list[bool]:
    """Whether a number ends at each gap of a page with only one line, which has these gaps."""
    found = gaps(_boxes(*apart), 80)
    return [gap > widest_within(found) for gap in found]


@pytest.mark.parametrize("boxes", [[], _boxes()])
def test_fewer_than_two_digits_have_no_gaps(boxes: list[Box]) -> None:
    assert gaps(boxes, 80) == []


def test_gaps_are_in_heights_of_the_line() -> None:
    assert gaps(_boxes(8, -4, 80), 80) == pytest.approx([0.1, -0.05, 1.0])


@pytest.mark.parametrize("times", [1, 3, 10])
def test_gaps_do_not_depend_on_the_pictures_size(times: int) -> None:
    boxes: list[Box] = [(times * a, times * b, times * c, times * d) for a, b, c, d in _boxes(10, 75)]
    assert gaps(boxes, 80 * times) == pytest.approx(gaps(_boxes(10, 75), 80))


def test_narrow_gaps_are_within_a_number() -> None:
    assert _spaces(5, 20, 12, 30) == [False] * 4


def test_wide_gaps_part_numbers() -> None:
    assert _spaces(8, 90, 10, 120, 9) == [False, True, False, True, False]


def test_touching_digits_are_one_number() -> None:
    assert _spaces(-4, 0, -12) == [False] * 3


@pytest.mark.parametrize("apart", [[], [0.1], [0.1, 0.6], [0.1, 0.6, 0.7]])
def test_few_gaps_say_nothing_about_how_wide_a_space_is(apart: list[float]) -> None:
    assert widest_within(apart) == WIDEST


def test_gaps_between_numbers_that_are_plainly_wider_than_those_within_part_them() -> None:
    within, between = [0.1, 0.15, 0.12, 0.2], [0.6, 0.65, 0.7]
    assert max(within) < widest_within(within + between) < min(between)


def test_the_order_of_the_gaps_does_not_matter() -> None:
    apart = [0.6, 0.1, 0.15, 0.7, 0.12, 0.2, 0.65]
    assert widest_within(apart) == widest_within(sorted(apart))


def test_one_wide_gap_says_nothing_about_the_others() -> None:
    assert widest_within([0.1, 0.12, 0.15, 0.2, 0.6]) == WIDEST


def test_digits_at_even_distances_are_one_number_however_far_apart() -> None:
    assert widest_within([0.55, 0.6, 0.65, 0.7, 0.75, 0.8]) == WIDEST


def test_gaps_that_grow_little_by_little_show_no_space() -> None:
    apart = [0.1 * 1.3**k for k in range(8)]
    assert all(right / left < 1.5 for left, right in pairwise(apart))
    assert widest_within(apart) == WIDEST


@pytest.mark.parametrize("within", [0.001, 0.0, -0.2])
def test_gaps_of_digits_that_nearly_touch_make_no_space_of_narrow_ones(within: float) -> None:
    apart = [within] * 4 + [0.4] * 4
    assert widest_within(apart) >= NARROWEST
    assert not any(gap > widest_within(apart) for gap in apart)


def test_what_parts_numbers_is_never_narrower_or_wider_than_a_space_may_be() -> None:
    assert widest_within([0.1] * 4 + [0.5] * 4) == NARROWEST
    assert widest_within([0.6] * 4 + [2.0] * 4) == WIDEST


def test_numbers_far_apart_say_nothing_about_how_close_digits_stand() -> None:
    apart = [1.0, 1.1, 1.2, 3.5, 4.0, 4.5]
    assert widest_within(apart) == WIDEST
