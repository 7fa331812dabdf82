"""Finds signs among the marks: a minus before a number, a decimal point or comma inside a number."""

from __future__ import annotations

from typing import Literal

import numpy as np

from digits.layout.pieces import Piece

Sign = Literal["-", ".", ","]

# All are relative to the mean height of the neighbouring digits, unless stated otherwise.
_FLAT = 0.34  # greatest height of a minus
LEVEL = 2.0  # least ratio of width to height of a level stroke, such as a minus
_DASH = (0.18, 1.2)  # least and greatest width of a minus
_MIDDLE = (0.22, 0.8)  # place of a minus between the top (0) and the foot (1) of the digits
_NEXT = 1.0  # greatest distance from a minus to the digit after it
_BEFORE = 0.35  # least free space before a minus
_DOT = 0.34  # greatest width and height of a point
_COMMA = (0.36, 0.6)  # greatest width and height of a comma
_FOOT = (-0.3, 0.3)  # place of the middle of a point, measured downwards from the foot of the digits
_BESIDE = 0.75  # greatest distance of a point from the digits before and after it
_OVER = 0.3  # share of its width by which a sign may horizontally overlap a digit
_BELOW = 0.08  # a comma that overlaps a digit more must reach this far below it, else it is a part of it
_PEN = 0.6  # below this share of the pen's width, a speck is dirt


def sign_of(piece: Piece, line: list[Piece], pen: float) -> Sign | None:
    """The sign that a piece is in a line of digits (from the left), or None; `pen` is their stroke width."""
    middle = (piece.box[0] + piece.box[2]) / 2
    before = [digit for digit in line if (digit.box[0] + digit.box[2]) / 2 < middle]
    after = [digit for digit in line if (digit.box[0] + digit.box[2]) / 2 >= middle]
    if not after:
        return None
    beside = [*before[-1:], after[0]]
    height = float(np.mean([digit.height for digit in beside]))
    if _is_minus(piece, before, after[0], height):
        sign: Sign | None = "-"
    else:
        sign = _point(piece, before[-1], after[0], height, pen) if before else None
    over = any(_shared(piece, digit) > _OVER * piece.width for digit in beside)
    below = piece.box[3] - max(digit.box[3] for digit in beside) > _BELOW * height
    return None if over and not (sign == "," and below) else sign


def _is_minus(piece: Piece, before: list[Piece], after: Piece, height: float) -> bool:
    if piece.height > _FLAT * height or piece.width < LEVEL * piece.height:
        return False
    if before and piece.box[0] - before[-1].box[2] < _BEFORE * height:
        return False
    place = ((piece.box[1] + piece.box[3]) / 2 - after.box[1]) / after.height
    return (
        _DASH[0] * height <= piece.width <= _DASH[1] * height
        and _MIDDLE[0] <= place <= _MIDDLE[1]
        and after.box[0] - piece.box[2] <= _NEXT * height
    )


def _point(piece: Piece, before: Piece, after: Piece, height: float, pen: float) -> Sign | None:
    if min(piece.width, piece.height) < _PEN * pen:
        return None
    if max(piece.box[0] - before.box[2], after.box[0] - piece.box[2]) > _BESIDE * height:
        return None
    foot = (before.box[3] + after.box[3]) / 2
    middle = ((piece.box[1] + piece.box[3]) / 2 - foot) / height
    if not _FOOT[0] <= middle <= _FOOT[1]:
        return None
    if piece.width > _COMMA[0] * height or piece.height > _COMMA[1] * height:
        return None
    long = piece.height - piece.width
    if piece.height > 1.25 * piece.width and long > 0.5 * pen:
        return ","
    return "." if max(piece.width, piece.height) <= _DOT * height else None


def _shared(first: Piece, second: Piece) -> float:
    """The number of columns that two pieces share."""
    return min(first.box[2], second.box[2]) - max(first.box[0], second.box[0])
