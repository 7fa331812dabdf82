from __future__ import annotations

import numpy as np

from digits.ink.sheet import Box, Sheet
from digits.layout.atoms import Atom, joined
from digits.layout.components import find_pieces
from digits.layout.cuts import slices
from digits.layout.form.digit_boxes import DigitBoxes
from digits.layout.lines import grouped, runs
from digits.layout.pieces import Piece, Pieces


def _drawn(*boxes: Box) -> tuple[Pieces, Sheet]:
    """The pieces that fill these boxes, and their ink."""
    mask = np.zeros((400, 600), np.uint8)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = 1
    return find_pieces(Sheet.all_of(mask)), Sheet.all_of(mask * 255)


def _line_of(*boxes: Box) -> tuple[list[Piece], Pieces, Sheet]:
    """The same, and the only line that the pieces form."""
    pieces, ink = _drawn(*boxes)
    (line,) = grouped(list(pieces.kept))
    return line, pieces, ink


def _runs(*boxes: Box) -> list[list[list[Box]]]:
    """The boxes of the atoms of each run of each line."""
    pieces, ink = _drawn(*boxes)
    found = [runs(line, pieces, ink, lambda _left, _right: False) for line in grouped(list(pieces.kept))]
    return [[[atom.box for atom in run.atoms] for run in line] for line in found]


def test_lines_are_in_reading_order() -> None:
    a, b = (40, 40, 80, 120), (140, 50, 180, 130)
    c, d = (60, 240, 100, 320), (160, 230, 200, 310)
    assert _runs(d, a, c, b) == [[[a], [b]], [[c], [d]]]


def test_lines_may_slope() -> None:
    boxes = [(40 + 90 * k, 40 + 30 * k, 80 + 90 * k, 120 + 30 * k) for k in range(5)]
    assert _runs(*boxes) == [[[box] for box in boxes]]


def test_pieces_of_one_digit_share_a_run() -> None:
    body, bar, other = (40, 60, 80, 140), (60, 45, 100, 53), (200, 50, 240, 140)
    assert _runs(body, bar, other) == [[[body, bar], [other]]]


def test_runs_end_where_two_pieces_are_parted_by_their_place() -> None:
    body, bar = (40, 60, 80, 140), (60, 45, 100, 53)
    line, pieces, ink = _line_of(body, bar)
    apart = runs(line, pieces, ink, lambda _left, _right: True)
    assert [[atom.box for atom in run.atoms] for run in apart] == [[body], [bar]]


def test_all_that_stands_in_a_box_for_a_digit_is_one_run() -> None:
    digit, trace, other = (40, 60, 80, 140), (112, 60, 118, 140), (150, 60, 190, 140)
    line, pieces, ink = _line_of(digit, trace, other)
    boxes = DigitBoxes(((20.0, 120.0), (120.0, 220.0)), (True, True))
    found = runs(line, pieces, ink, boxes.part, boxes)
    assert [[atom.box for atom in run.atoms] for run in found] == [[digit, trace], [other]]
    assert all(run.single for run in found)
    found = runs(line, pieces, ink, lambda _left, _right: False)
    assert [[atom.box for atom in run.atoms] for run in found] == [[digit], [trace], [other]]
    assert not any(run.single for run in found)


def test_a_sign_is_a_run_of_its_own() -> None:
    minus, first, second = (30, 95, 70, 105), (100, 60, 140, 140), (160, 60, 200, 140)
    line, pieces, ink = _line_of(minus, first, second)
    found = runs(line, pieces, ink, lambda _left, _right: False)
    assert [run.sign for run in found] == ["-", None, None]


def test_joined_has_the_ink_of_all() -> None:
    first = Atom((10, 10, 14, 20), np.full((10, 4), 200, np.uint8))
    second = Atom((12, 18, 20, 22), np.full((4, 8), 100, np.uint8))
    both = joined((first, second))
    assert both.box == (10, 10, 20, 22)
    assert both.pixels[9, 3] == 200
    assert both.pixels[11, 9] == 100
    assert both.pixels[0, 9] == 0


def test_slices_cut_where_least_ink_is() -> None:
    pixels = np.zeros((80, 120), np.uint8)
    pixels[:, 10:20] = pixels[:, 90:100] = 255
    pixels[38:44, 10:100] = 255  # an H: the bar is the only ink between
    parts = slices(Atom((0, 0, 120, 80), pixels), 80)
    assert len(parts) > 1
    assert sum(int((part.pixels > 0).sum()) for part in parts) >= 0.85 * (pixels > 0).sum()
    assert all(0 < part.cut < 0.2 for part in parts[1:])
    assert any(part.box[0] < 15 and part.box[2] < 90 for part in parts)


def test_slices_leave_a_narrow_bar_whole() -> None:
    bar = Atom((5, 5, 15, 105), np.full((100, 10), 255, np.uint8))
    assert slices(bar, 100) == (bar,)
