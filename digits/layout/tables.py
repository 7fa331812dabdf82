"""Rows and columns: which cells stand beside and below each other."""

# Why it is so: docs/decisions/tables.md
from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import chain
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.cells import Cell
from digits.layout.pieces import common_box

WIDE = 1.25  # times as wide as high: a cell that may hold a number of its own
_GAP = 0.4  # of the usual side: what is narrower is room between boxes
_BESIDE = 0.6  # of the larger one's height, or the smaller one's width, that two neighbours share
_ACROSS = 1.0  # of a cell's width: no two neighbours of one row are further apart
_LOW = 0.5  # of the writing's height: no row is lower
_BELOW = 0.3  # of a cell's height: no two neighbours of one column are further apart
_APART = 2.5  # times the room between the boxes of a row: that between rows, at most
_TALL = 1.5  # times as high as the others of its row: a cell of two rows
_EVEN = 0.2  # of a cell's side: how much further another may be that is next to it, too


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cells by row, from the left."""

    rows: tuple[tuple[Cell, ...], ...]


def tables_of(apart: Sequence[tuple[Cell, ...]]) -> tuple[Table, ...]:
    """The tables of cells that stand apart, from the top; of two beside each other the left one first."""
    tables = chain.from_iterable(map(find_tables, apart))
    return tuple(sorted(tables, key=cmp_to_key(_order)))


def find_tables(cells: tuple[Cell, ...]) -> tuple[Table, ...]:
    """The cells put together to tables, boxes of one row included; from the top."""
    found = _without_slits(cells)
    if not found:
        return ()
    boxes = np.array([cell.box for cell in found], float)
    beside, across = _neighbours(boxes, np.maximum, _ACROSS)
    # Boxes that stand apart make a grid if a number fits in each, or if the rows are hardly further apart.
    wide = np.median([cell.width / cell.height for cell in found]) > WIDE
    room = np.inf if wide else _APART * float(np.median(across)) if len(across) else 0.0
    below, _ = _neighbours(boxes[:, [1, 0, 3, 2]], np.minimum, _BELOW, room)
    tables = []
    left = set(range(len(found)))
    while left:
        row_of = _rows(min(left), beside, below, boxes[:, 3] - boxes[:, 1])
        left -= row_of.keys()
        rows = [[found[k] for k, own in row_of.items() if own == row] for row in sorted({*row_of.values()})]
        rows = [sorted(row, key=lambda cell: cell.middle[0]) for row in rows]
        rows.sort(key=lambda row: float(np.mean([cell.middle[1] for cell in row])))
        tables.append(Table(tuple(tuple(row) for row in rows)))
    return tuple(sorted(tables, key=lambda table: table.rows[0][0].box[1]))


def _order(first: Table, second: Table) -> int:
    """Less than 0 where the first table is read before the second."""
    (left, top, _, bottom), (other_left, other_top, _, other_bottom) = (
        common_box([cell.box for row in table.rows for cell in row]) for table in (first, second)
    )
    shared = min(bottom, other_bottom) - max(top, other_top)
    beside = shared > min(bottom - top, other_bottom - other_top) / 2
    return left - other_left if beside else top - other_top


def with_room(tables: Sequence[Table], height: float) -> tuple[Table, ...]:
    """The tables without rows too low for writing of this height: room beside a line of the paper."""
    found = []
    for table in tables:
        rows = [row for row in table.rows if median(cell.height for cell in row) >= _LOW * height]
        found.append(Table(tuple(rows)))
    return tuple(table for table in found if sum(map(len, table.rows)) > 1)


def columns(table: Table) -> dict[Cell, int]:
    """The column of each cell: that of the nearest cell in the row that has most."""
    fullest = max(table.rows, key=len)
    middles = np.array([cell.middle[0] for cell in fullest])
    middle_row = table.rows.index(fullest)
    found: dict[Cell, int] = {}
    # From row to row, so that a table which leans in the picture keeps its columns.
    for order in (range(middle_row, -1, -1), range(middle_row, len(table.rows))):
        near = middles.copy()
        for number in order:
            row = table.rows[number]
            places = np.array([cell.middle[0] for cell in row])
            own = np.abs(near[:, None] - places).argmin(axis=0)
            found.update(zip(row, own.tolist(), strict=True))
            near[own] = places
    return found


def _without_slits(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells without the slits between double lines, or boxes close to each other."""
    if not cells:
        return cells
    width, height = (np.median(sides) for sides in zip(*((c.width, c.height) for c in cells), strict=True))
    return tuple(cell for cell in cells if cell.width > _GAP * width and cell.height > _GAP * height)


def _neighbours(
    boxes: NDArray[np.float64], side: np.ufunc, most: float, room: float = 0.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which boxes (n, 4) stand right of which (n, n), with none between, and how far those are apart (links).

    They share enough of the height that `side` chooses of the two, and are no further apart than `most` of
    the narrower one's width or, if that is more, than `room` and that width.
    """
    left, top, right, bottom = boxes.T
    shared = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    apart = left[None] - right[:, None]
    nearest = np.minimum.outer(right - left, right - left)
    links = np.less.outer(left + right, left + right) & (apart >= -0.5 * nearest)
    links &= shared >= _BESIDE * side.outer(bottom - top, bottom - top)
    first = np.where(links, apart, np.inf).min(axis=1, keepdims=True)
    links &= apart <= np.minimum(first + _EVEN * nearest, np.clip(room, most * nearest, nearest))
    return links, apart[links]


def _rows(
    first: int, beside: NDArray[np.bool_], below: NDArray[np.bool_], height: NDArray[np.float64]
) -> dict[int, tuple[int, bool]]:
    """The row of each cell that hangs together with the first one, by any way from neighbour to neighbour.

    A cell as high as two rows, between which a rule was not found, is in a row of its own (True).
    """
    row_of, waiting = {first: 0}, deque([first])
    while waiting:
        cell = waiting.popleft()
        known = {other: row_of[cell] for other in np.flatnonzero(beside[cell] | beside[:, cell]).tolist()}
        for other in np.flatnonzero(below[cell]).tolist():
            known[other] = row_of[cell] + max(1, round(height[cell] / height[other]))
        for other in np.flatnonzero(below[:, cell]).tolist():
            known[other] = row_of[cell] - max(1, round(height[other] / height[cell]))
        fresh = [other for other in known if other not in row_of]
        row_of.update({other: known[other] for other in fresh})
        waiting.extend(fresh)
    usual = {
        row: float(np.median([height[cell] for cell, own in row_of.items() if own == row]))
        for row in {*row_of.values()}
    }
    return {cell: (row, bool(height[cell] > _TALL * usual[row])) for cell, row in row_of.items()}
