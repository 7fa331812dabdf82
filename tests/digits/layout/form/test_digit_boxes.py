from __future__ import annotations

from digits.ink.sheet import Box
from digits.layout.form.cells import Cell
from digits.layout.form.digit_boxes import DigitBoxes, digit_boxes
from digits.layout.form.tables import Table
from digits.layout.pieces import Piece


def _row(*sides: tuple[int, int]) -> Table:
    return Table((tuple(Cell(k + 1, (left, 0, right, 100)) for k, (left, right) in enumerate(sides)),))


def _boxes(*sides: tuple[int, int]) -> DigitBoxes:
    boxes = digit_boxes(_row(*sides))
    assert boxes is not None
    return boxes


def _piece(box: Box) -> Piece:
    return Piece(1, box)


def test_a_mark_is_of_the_box_in_which_its_middle_lies() -> None:
    boxes = _boxes((0, 80), (80, 160), (160, 240))
    assert [boxes.of((left, 20, left + 40, 80)) for left in (20, 70, 170)] == [0, 1, 2]


def test_what_stands_between_two_boxes_is_of_the_nearest() -> None:
    boxes = _boxes((0, 80), (100, 180), (200, 280))
    assert [boxes.of((left, 20, left + 4, 80)) for left in (82, 94)] == [0, 1]


def test_what_stands_far_beside_a_row_is_of_none_of_its_boxes() -> None:
    boxes = _boxes((0, 80), (80, 160), (160, 240))
    assert boxes.of((244, 20, 250, 80)) == 2
    assert boxes.of((270, 20, 310, 80)) is None


def test_leaning_boxes_end_where_the_next_begin() -> None:
    boxes = _boxes((0, 120), (80, 200), (160, 280))
    assert [boxes.of((left, 40, left + 20, 60)) for left in (20, 85, 95, 170)] == [0, 0, 1, 1]


def test_a_box_holds_one_digit_unless_a_rule_in_it_was_not_found() -> None:
    boxes = _boxes((0, 80), (80, 160), (160, 320))
    assert boxes.hold_one([_piece((10, 20, 30, 80)), _piece((60, 20, 75, 80))])
    assert not boxes.hold_one([_piece((180, 20, 220, 80)), _piece((260, 20, 300, 80))])


def test_pieces_of_two_boxes_may_be_two_digits() -> None:
    boxes = _boxes((0, 80), (80, 160), (160, 240))
    assert not boxes.hold_one([_piece((10, 20, 50, 80)), _piece((100, 20, 140, 80))])
    assert not boxes.hold_one([_piece((20, 20, 110, 80))])
    assert boxes.hold_one([_piece((20, 20, 90, 80))])


def test_only_a_single_row_of_three_narrow_boxes_is_for_a_digit_each() -> None:
    assert digit_boxes(_row((0, 80), (80, 160), (160, 240))) is not None
    assert digit_boxes(_row((0, 80), (80, 160))) is None
    assert digit_boxes(_row((0, 200), (200, 400), (400, 600))) is None
    rows = _row((0, 80), (80, 160), (160, 240)).rows
    assert digit_boxes(Table((*rows, *rows))) is None
