"""Digits of neighbouring cells that touch across the rule between them: one piece of ink, cut at the rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.cells import Cell, Cells
from digits.layout.pieces import Piece, Pieces

_PART = 0.22  # of a piece's ink in each of two cells: less belongs to a digit that crosses its cell's border
_LONGER = 1.6  # times as wide, or as high, as usual: a single digit is no longer
_USUAL = 4  # pieces in cells of their own: from so many on it is known how large digits are


def cut_at_rules(pieces: Pieces, cells: Cells) -> Pieces:
    """The pieces, those of several digits in several cells cut where the cells end."""
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
    """Whether the box around a piece, its edges aside, lies in a single cell."""
    left, top, right, bottom = piece.box
    aside, down = 0.15 * piece.width, 0.15 * piece.height
    corners = {cells.at(x, y) for x in (left + aside, right - aside) for y in (top + down, bottom - down)}
    return len(corners) == 1 and None not in corners


def _cut(piece: Piece, pieces: Pieces, cells: Cells) -> list[Piece]:
    """The parts of a piece in different cells, with numbers of their own in the label map; or it alone."""
    n = pieces.coarse
    left, top, right, bottom = piece.box
    x, y = (left - pieces.left) // n, (top - pieces.top) // n
    part = pieces.labels[y : y - (top - bottom) // n, x : x - (left - right) // n]
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
    # What lies on the rules, or a little in a third cell, belongs to the nearest.
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
    """Whether these are two cells of one row: where the digits in them part is found out by reading them."""
    across, down = (abs(last - first) for first, last in zip(cells[0].middle, cells[-1].middle, strict=True))
    return len(cells) == 2 and across > down


def _cells_at(cells: Cells, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.int32]:
    """The numbers of the cells in which these points lie."""
    height, width = cells.labels.shape
    rows = np.minimum(y.astype(int) // cells.coarse, height - 1)
    columns = np.minimum(x.astype(int) // cells.coarse, width - 1)
    return np.asarray(cells.labels[rows, columns], np.int32)
