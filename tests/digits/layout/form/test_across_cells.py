from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.sheet import Sheet
from digits.layout.components import find_pieces
from digits.layout.form.across_cells import cut_at_rules
from digits.layout.form.cells import NO_CELLS, Cells, find_cells
from digits.layout.frames.classification import Frames
from digits.layout.pieces import Pieces
from tests.digits.layout.forms import rule

X = Y = (20, 120, 220, 320)

Mask = NDArray[np.uint8]


def cells() -> Cells:
    """Three by three cells of 100 pixels."""
    rules = [rule(X[0], X[-1], place) for place in X]
    return find_cells(Frames(rules, rules), (340, 340))


def written(*boxes: tuple[int, int, int, int]) -> Mask:
    """Digits of 40 by 60 pixels in the cells of the first two rows, and these boxes of ink."""
    mask = np.zeros((340, 340), np.uint8)
    for row, column in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)):
        left, top = X[column] + 30, Y[row] + 20
        cv2.rectangle(mask, (left, top), (left + 39, top + 59), 1, -1)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = 1
    return mask


def pieces_of(mask: Mask) -> Pieces:
    return find_pieces(Sheet.all_of(mask), page=True)


def boxes_of(pieces: Pieces) -> list[tuple[int, int, int, int]]:
    return sorted(piece.box for piece in pieces.kept)


def test_digits_in_cells_of_their_own_are_left_alone() -> None:
    pieces = pieces_of(written())
    assert boxes_of(cut_at_rules(pieces, cells())) == boxes_of(pieces)


def test_two_digits_of_one_row_that_touch_are_left_to_be_parted_by_reading() -> None:
    pieces = pieces_of(written((40, 240, 200, 300)))
    assert boxes_of(cut_at_rules(pieces, cells())) == boxes_of(pieces)


def test_three_digits_of_one_row_that_touch_are_cut_at_the_rules() -> None:
    done = cut_at_rules(pieces_of(written((40, 240, 300, 300))), cells())
    below = [box[::2] for box in boxes_of(done) if box[1] > 230]
    assert below == [pytest.approx(sides, abs=3) for sides in ((40, 120), (120, 220), (220, 300))]


def test_two_digits_that_touch_across_a_horizontal_rule_are_cut_there() -> None:
    mask = written((250, 140, 290, 300))
    done = cut_at_rules(pieces_of(mask), cells())
    right = [box for box in boxes_of(done) if box[0] >= 250 and box[1] > 130]
    assert [box[1::2] for box in right] == [
        pytest.approx((140, 220), abs=3),
        pytest.approx((220, 300), abs=3),
    ]


def test_each_part_has_its_own_ink() -> None:
    mask = written((250, 140, 290, 300))
    done = cut_at_rules(pieces_of(mask), cells())
    parts = [piece for piece in done.kept if piece.box[0] >= 250 and piece.box[1] > 130]
    ink = [int(done.only(Sheet.all_of(255 * mask), [part])[1].sum()) for part in parts]
    assert sum(ink) == 255 * 160 * 40
    assert min(ink) > 255 * 70 * 40


@pytest.mark.parametrize("right", [140, 160])
def test_a_digit_that_crosses_its_cell_is_one(right: int) -> None:
    """Pieces in two cells of one row are not cut, however wide they are, because reading separates digits."""
    mask = written((70, 240, right, 300))
    pieces = pieces_of(mask)
    assert boxes_of(cut_at_rules(pieces, cells())) == boxes_of(pieces)


def test_a_long_tail_that_crosses_several_cells_is_one_with_its_digit() -> None:
    mask = written((40, 240, 118, 300), (40, 290, 150, 300))
    pieces = pieces_of(mask)
    assert boxes_of(cut_at_rules(pieces, cells())) == boxes_of(pieces)


def test_without_cells_nothing_is_cut() -> None:
    pieces = pieces_of(written((40, 240, 200, 300)))
    assert cut_at_rules(pieces, NO_CELLS) is pieces


def test_where_few_digits_show_their_size_nothing_is_cut() -> None:
    mask = np.zeros((340, 340), np.uint8)
    mask[240:300, 40:200] = 1
    mask[40:100, 50:90] = 1
    pieces = pieces_of(mask)
    assert boxes_of(cut_at_rules(pieces, cells())) == boxes_of(pieces)
