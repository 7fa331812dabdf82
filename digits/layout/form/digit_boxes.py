"""A row of boxes for one digit each: which box a mark is in, so that its parts are not read as two digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.ink.sheet import Box
from digits.layout.form.tables import WIDE, Table
from digits.layout.pieces import Piece

_ROW = 3  # least number of boxes
_OVER = 0.25  # greatest length by which a box's marks extend out of it, relative to its width
_TWO = 1.5  # above this multiple of the usual width, a box is two boxes without the rule between them


@dataclass(frozen=True, slots=True)
class DigitBoxes:
    """The left and right sides of a row's boxes at mid-height, and whether each box has one digit at most."""

    sides: tuple[tuple[float, float], ...]
    single: tuple[bool, ...]

    def of(self, box: Box) -> int | None:
        """The index of the box that contains the middle of `box`, or is next to it; None if there is none."""
        middle = (box[0] + box[2]) / 2
        away = [max(left - middle, middle - right) for left, right in self.sides]
        nearest = away.index(min(away))
        left, right = self.sides[nearest]
        return nearest if away[nearest] <= _OVER * (right - left) else None

    def part(self, left: Piece, right: Piece) -> bool:
        """Whether two pieces are in different boxes."""
        return self.of(left.box) != self.of(right.box)

    def hold_one(self, pieces: Sequence[Piece]) -> bool:
        """Whether these pieces are at most one digit: all are in one box and do not extend far out of it."""
        number, *others = (self.of(piece.box) for piece in pieces)
        if number is None or any(other != number for other in others):
            return False
        left, right = self.sides[number]
        most = _OVER * (right - left)
        return self.single[number] and all(
            piece.box[0] >= left - most and piece.box[2] <= right + most for piece in pieces
        )


def digit_boxes(table: Table) -> DigitBoxes | None:
    """The boxes of a table that is a single row of boxes for digits; None for other tables."""
    if len(table.rows) > 1 or len(table.rows[0]) < _ROW:
        return None
    row = table.rows[0]
    if np.median([cell.width / cell.height for cell in row]) > WIDE:
        return None
    usual = float(np.median([cell.width for cell in row]))
    step = float(np.median([right.middle[0] - left.middle[0] for left, right in pairwise(row)]))
    lean = max(0.0, usual - step) / 2  # the box around a leaning cell is wider than the cell
    return DigitBoxes(
        tuple((cell.box[0] + lean, cell.box[2] - lean) for cell in row),
        tuple(cell.width < _TWO * usual for cell in row),
    )
