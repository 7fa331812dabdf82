from __future__ import annotations

import pytest

from digits.ink.sheet import Box
from digits.layout.numbers import spaces


def _boxes(*gaps: int) -> list[Box]:
    """Digits of 40 x 80 pixels with these gaps between them."""
    boxes: list[Box] = [(10, 20, 50, 100)]
    for gap in gaps:
        right = boxes[-1][2]
        boxes.append((right + gap, 20, right + gap + 40, 100))
    return boxes


@pytest.mark.parametrize("boxes", [[], _boxes()])
def test_fewer_than_two_digits_have_no_spaces(boxes: list[Box]) -> None:
    assert spaces(boxes, 80) == []


def test_narrow_gaps_are_within_a_number() -> None:
    assert spaces(_boxes(5, 20, 12, 30), 80) == [False] * 4


def test_wide_gaps_part_numbers() -> None:
    assert spaces(_boxes(8, 90, 10, 120, 9), 80) == [False, True, False, True, False]


def test_touching_digits_are_one_number() -> None:
    assert spaces(_boxes(-4, 0, -12), 80) == [False] * 3


@pytest.mark.parametrize("times", [1, 3, 10])
def test_what_a_wide_gap_is_goes_by_the_height_of_the_line(times: int) -> None:
    boxes = [tuple(times * side for side in box) for box in _boxes(10, 75)]
    assert spaces([(a, b, c, d) for a, b, c, d in boxes], 80 * times) == [False, True]
