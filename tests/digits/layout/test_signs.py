from __future__ import annotations

import pytest

from digits.ink.sheet import Box
from digits.layout.pieces import Piece
from digits.layout.signs import sign_of

DIGITS = (Piece(1, (100, 50, 150, 130)), Piece(2, (190, 50, 240, 130)))  # 80 pixels high, feet at 130
PEN = 8.0


def _sign(box: Box, digits: tuple[Piece, ...] = DIGITS) -> str | None:
    return sign_of(Piece(9, box), list(digits), PEN)


@pytest.mark.parametrize("box", [(50, 86, 85, 94), (60, 75, 92, 84), (40, 92, 90, 104)])
def test_a_level_stroke_before_a_number_is_a_minus(box: Box) -> None:
    assert _sign(box) == "-"


@pytest.mark.parametrize("y", [40, 140])
def test_a_level_stroke_at_head_or_foot_is_no_minus(y: int) -> None:
    assert _sign((50, y - 4, 85, y + 4)) is None


@pytest.mark.parametrize(("gap", "sign"), [(24, None), (34, "-")])
def test_a_stroke_just_behind_a_digit_is_a_part_of_it(gap: int, sign: str | None) -> None:
    apart = (DIGITS[0], Piece(2, (260, 50, 310, 130)))
    assert _sign((150 + gap, 86, 182 + gap, 94), apart) == sign


@pytest.mark.parametrize(("width", "sign"), [(12, None), (18, "-")])
def test_a_short_dash_before_a_number_is_a_speck(width: int, sign: str | None) -> None:
    assert _sign((85 - width, 87, 85, 93), DIGITS) == sign


def test_a_stroke_that_stands_is_no_minus() -> None:
    assert _sign((60, 70, 68, 110)) is None


def test_a_stroke_far_from_the_number_is_no_minus() -> None:
    assert _sign((0, 86, 15, 94), (Piece(1, (150, 50, 200, 130)),)) is None


def test_a_level_stroke_behind_the_number_is_no_sign() -> None:
    assert _sign((260, 86, 300, 94)) is None


@pytest.mark.parametrize("size", [7, 10, 16, 22])
def test_a_dot_at_the_foot_between_digits_is_a_point(size: int) -> None:
    assert _sign((170 - size // 2, 132 - size, 170 - size // 2 + size, 132)) == "."


@pytest.mark.parametrize("box", [(162, 118, 174, 146), (164, 122, 172, 144), (160, 120, 178, 150)])
def test_a_tail_below_the_foot_is_a_comma(box: Box) -> None:
    assert _sign(box) == ","


@pytest.mark.parametrize("y", [40, 60, 90])
def test_a_dot_above_the_foot_is_a_speck(y: int) -> None:
    assert _sign((165, y - 5, 175, y + 5)) is None


def test_a_dot_much_thinner_than_the_pen_is_a_speck() -> None:
    assert _sign((169, 127, 172, 130)) is None


def test_a_dot_before_or_behind_all_digits_is_a_speck() -> None:
    assert _sign((60, 122, 70, 132)) is None
    assert _sign((260, 122, 270, 132)) is None


def test_a_dot_far_from_its_neighbours_is_a_speck() -> None:
    assert _sign((200, 122, 210, 132), (DIGITS[0], Piece(2, (320, 50, 370, 130)))) is None


def test_a_blot_as_large_as_half_a_digit_is_no_point() -> None:
    assert _sign((152, 95, 188, 132)) is None


def test_a_part_that_overlaps_a_digit_is_no_sign() -> None:
    assert _sign((110, 86, 145, 94)) is None


@pytest.mark.parametrize(("foot", "sign"), [(132, None), (134, None), (140, ","), (148, ",")])
def test_a_part_of_a_stroke_that_ends_at_the_foot_is_no_comma(foot: int, sign: str | None) -> None:
    assert _sign((138, foot - 26, 150, foot)) == sign


@pytest.mark.parametrize("left", [142, 146])
def test_a_comma_may_begin_below_the_digit_before_it(left: int) -> None:
    assert _sign((left, 118, left + 20, 150)) == ","


@pytest.mark.parametrize(("left", "sign"), [(146, "."), (142, None)])
def test_a_dot_below_a_digit_is_a_speck(left: int, sign: str | None) -> None:
    assert _sign((left, 118, left + 20, 138)) == sign


def test_beside_no_digits_nothing_is_a_sign() -> None:
    assert _sign((50, 86, 85, 94), ()) is None
