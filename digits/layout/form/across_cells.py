"""Separates digits of neighbouring cells that touch across the rule between them, by cutting at this rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.form.cells import Cell, Cells
from digits.layout.pieces import Piece, Pieces

_PART = 0.22  # least share of a piece's ink in each of two cells: with less, one digit crosses the rule
_LONGER = 1.6  # up to this multiple of the usual width or height, a piece may be a single digit
_USUAL = 4  # least number of pieces within one cell, from which the usual size of digits is known


def cut_at_rules(pieces: Pieces, cells: Cells) -> Pieces:
    """The pieces, with those that are several digits in several cells cut where the cells end."""
    if not cells.found or not pieces.kept:
        return pieces
    inside = [piece for piece in pieces.kept if _is_within_one(piece, cells)]
    if len(inside) < _USUAL:
        return pieces
    width = _LONGER * median(piece.width for piece in inside)
    height = _LONGER * median(piece.height for piece in inside)
    labels = pieces.labels.copy()
    done = replace(pieces, labels=labels)
    kept: list[Piece] = []
    for piece in pieces.kept:
        large = piece.width > width or piece.height > height
        kept.extend(_cut(piece, done, cells) if large and piece not in inside else [piece])
    return replace(done, kept=tuple(sorted(kept, key=lambda piece: -piece.size)))


def _is_within_one(piece: Piece, cells: Cells) -> bool:
    """Whether the box around a piece, without its margins, is in a single cell."""
    left, top, right, bottom = piece.box
    aside, down = 0.15 * piece.width, 0.15 * piece.height
    corners = {cells.at(x, y) for x in (left + aside, right - aside) for y in (top + down, bottom - down)}
    return len(corners) == 1 and None not in corners


def _cut(piece: Piece, pieces: Pieces, cells: Cells) -> list[Piece]:
    """The parts of a piece in different cells, each with its own label; or the piece itself."""
    n = pieces.coarse
    left, top, right, bottom = piece.box
    x, y = (left - pieces.left) // n, (top - pieces.top) // n
    part = pieces.labels[y : y + math.ceil(piece.height / n), x : x + math.ceil(piece.width / n)]
    rows, columns = np.nonzero(part == piece.label)
    across, down = left + (columns + 0.5) * n, top + (rows + 0.5) * n
    where = _cells_at(cells, across, down)
    known = {cell.label: cell for cell in cells.found}
    own = [
        known[int(label)]
        for label, count in zip(*np.unique(where, return_counts=True), strict=True)
        if int(label) in known and count >= _PART * len(where)
    ]
    if len(own) < 2 or _are_side_by_side(own):
        return [piece]
    # Ink on the rules, and a little ink in a third cell, belongs to the nearest of these cells.
    away = [
        np.maximum(np.abs(across - cell.middle[0]) / cell.width, np.abs(down - cell.middle[1]) / cell.height)
        for cell in own
    ]
    nearest = np.argmin(away, axis=0)
    parts = []
    for number in range(len(own)):
        mine = nearest == number
        label = piece.label if number == 0 else int(pieces.labels.max()) + 1
        part[rows[mine], columns[mine]] = label
        box = (
            left + int(columns[mine].min()) * n,
            top + int(rows[mine].min()) * n,
            min(right, left + (int(columns[mine].max()) + 1) * n),
            min(bottom, top + (int(rows[mine].max()) + 1) * n),
        )
        parts.append(Piece(label, box))
    return parts


def _are_side_by_side(cells: Sequence[Cell]) -> bool:
    """Whether these are two cells of one row. Their digits are separated later, by reading them."""
    across, down = (abs(last - first) for first, last in zip(cells[0].middle, cells[-1].middle, strict=True))
    return len(cells) == 2 and across > down


def _cells_at(cells: Cells, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.int32]:
    """The labels of the cells at these points."""
    height, width = cells.labels.shape
    rows = np.minimum(y.astype(int) // cells.coarse, height - 1)
    columns = np.minimum(x.astype(int) // cells.coarse, width - 1)
    return np.asarray(cells.labels[rows, columns], np.int32)
