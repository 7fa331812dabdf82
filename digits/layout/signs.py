"""Which marks are signs: a minus before a number, a decimal point or comma inside one."""

from __future__ import annotations

from typing import Literal

import numpy as np

from digits.layout.pieces import Piece

Sign = Literal["-", ".", ","]

# All in heights of the digits beside the sign, if nothing else is said.
_FLAT = 0.34  # the highest minus
LEVEL = 2.0  # times as wide as high: a level stroke, as a minus is
_DASH = (0.18, 1.2)  # how wide a minus is
_MIDDLE = (0.22, 0.8)  # between head (0) and foot (1) of the digits: where a minus lies
_NEXT = 1.0  # how far the digit after a minus is
_BEFORE = 0.35  # how near nothing stands before it
_DOT = 0.34  # the largest point, either way
_COMMA = (0.36, 0.6)  # the largest comma: width and height
_FOOT = (-0.3, 0.3)  # from the foot of the digits down: where the middle of a point lies
_BESIDE = 0.75  # how far the digits before and after a point are
_OVER = 0.3  # of its width that a sign may share with a digit's
_BELOW = 0.08  # how far a comma reaches below the digits, if it shares more: else it is a part of one
_PEN = 0.6  # of the pen's width: a smaller speck is dirt


def sign_of(piece: Piece, line: list[Piece], pen: float) -> Sign | None:
    """What sign a piece is in a line of digits (left to right); `pen`: their strokes' width in pixels."""
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
    """How many columns two pieces share."""
    return min(first.box[2], second.box[2]) - max(first.box[0], second.box[0])
