"""Arranges pieces of ink in lines of writing, and divides the lines into runs of atoms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from digits.ink.sheet import Sheet
from digits.layout.atoms import Run, atom_of
from digits.layout.form.digit_boxes import DigitBoxes
from digits.layout.pieces import Piece, Pieces, common_box
from digits.layout.signs import Sign, sign_of
from digits.network.network_input import stroke_width

_SAME_LINE = 0.35  # share of the lower piece's height that two pieces of one line have in common
_TALL = 0.5  # below this share of the usual height, a piece may be a part of a digit
_FAR = 0.8  # greatest distance of a low piece from tall ones of its line, relative to the usual height
_WIDE_GAP = 0.3  # above this share of the line's height, a gap is between two digits
_CLEAR_GAP = 0.1  # the same for two tall pieces
_DIGITS_A_POINT = 3  # least number of digits for each point on a line with several points
_LOOKED_AT = 8  # pieces of a line whose stroke width is measured


def grouped(pieces: list[Piece]) -> list[list[Piece]]:
    """The pieces of each line, from the top.

    Tall pieces are chained to their neighbours, and low pieces join the nearest line. Low pieces far from all
    tall ones are smaller writing, such as print, and form lines of their own.
    """
    height = _usual_height(pieces)
    least = _TALL * height
    tall = [piece for piece in pieces if piece.height >= least]
    found: list[list[Piece]] = []
    for piece in sorted(tall, key=lambda piece: piece.box[0]):
        line = max(found, key=lambda line: _shared(line[-1], piece), default=None)
        if line is None or _shared(line[-1], piece) < _SAME_LINE:
            found.append([piece])
        else:
            line.append(piece)
    small: list[Piece] = []
    for piece in (piece for piece in pieces if piece.height < least):
        apart = [min(_apart(other, piece) for other in line) for line in found]
        nearest = int(np.argmin(apart))
        (found[nearest] if apart[nearest] <= _FAR * height else small).append(piece)
    if small:
        found.extend(grouped(small))
    return sorted(found, key=lambda line: median(piece.box[1] + piece.box[3] for piece in line))


def _usual_height(pieces: list[Piece]) -> float:
    """The usual height of writing: the median height of pieces that are not far lower than the tallest."""
    heights = [piece.height for piece in pieces]
    least = 0.4 * max(heights, default=0)
    return median(height for height in heights if height >= least) if heights else 0.0


def _shared(first: Piece, second: Piece) -> float:
    overlap = min(first.box[3], second.box[3]) - max(first.box[1], second.box[1])
    return overlap / min(first.height, second.height)


def _apart(first: Piece, second: Piece) -> float:
    across = max(first.box[0], second.box[0]) - min(first.box[2], second.box[2])
    down = max(first.box[1], second.box[1]) - min(first.box[3], second.box[3])
    return math.hypot(max(across, 0), max(down, 0))


def runs(
    line: Sequence[Piece],
    pieces: Pieces,
    ink: Sheet,
    parted: Callable[[Piece, Piece], bool],
    boxes: DigitBoxes | None = None,
) -> list[Run]:
    """The runs of a line of writing, from the left; each sign is a run of its own.

    `parted` returns whether the places of two pieces show that they are not one digit. All pieces in one of
    the `boxes` are one run, however far they are apart.
    """
    height = _usual_height(list(line))
    ordered = sorted(line, key=lambda piece: piece.box[0] + piece.box[2])
    found: list[tuple[list[Piece], Sign | None]] = []
    tall = [piece for piece in ordered if piece.height >= _TALL * height]
    pen = _pen(tall, pieces, ink)
    specks = _near(pieces.specks, tall, height)
    for piece in sorted([*ordered, *specks], key=lambda piece: piece.box[0] + piece.box[2]):
        beside = [other for other in tall if not parted(other, piece)]
        sign = None if piece in tall else sign_of(piece, beside, pen)
        last = found[-1][0] if found and found[-1][1] is None else []
        if sign is not None:
            found.append(([piece], sign))
        elif piece in specks:
            continue
        elif last and (
            (boxes and boxes.hold_one([*last, piece]))
            or not any(parted(other, piece) or _are_two_digits(other, piece, height) for other in last)
        ):
            last.append(piece)
        else:
            found.append(([piece], None))
    points = sum(sign in (".", ",") for _, sign in found)
    if points > 1 + len(tall) // _DIGITS_A_POINT:  # dirt
        found = [(run, sign) for run, sign in found if sign not in (".", ",")]
    return [
        Run(
            tuple(atom_of(pieces, [piece], ink) for piece in run),
            height,
            sign,
            single=boxes is not None and boxes.hold_one(run),
        )
        for run, sign in found
    ]


def _pen(tall: list[Piece], pieces: Pieces, ink: Sheet) -> float:
    """The usual stroke width of these pieces, in pixels."""
    widths = [stroke_width(pieces.only(ink, [piece])[1]) for piece in tall[:_LOOKED_AT]]
    return median(widths) if widths else 1.0


def _near(specks: Sequence[Piece], tall: list[Piece], height: float) -> list[Piece]:
    """The specks at the height of a line of these pieces."""
    if not tall or not specks:
        return []
    left, top, right, bottom = common_box([piece.box for piece in tall])
    return [
        speck
        for speck in specks
        if left - height < speck.box[0] < right
        and top < speck.box[3]
        and speck.box[1] < bottom + 0.3 * height
    ]


def are_several(pieces: list[Piece]) -> bool:
    """Whether these pieces are clearly more than one digit: tall pieces next to each other with a gap."""
    height = max(piece.height for piece in pieces)
    ordered = sorted(pieces, key=lambda piece: piece.box[0] + piece.box[2])
    return any(
        _are_two_digits(left, right, height) and min(left.height, right.height) > _TALL * height
        for left, right in pairwise(ordered)
    )


def _are_two_digits(left: Piece, right: Piece, height: float) -> bool:
    gap = right.box[0] - left.box[2]
    if gap > _WIDE_GAP * height:
        return True
    return gap > _CLEAR_GAP * height and min(left.height, right.height) > 0.7 * height
