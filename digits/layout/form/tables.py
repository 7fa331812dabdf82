"""Arranges cells in the rows and columns of tables."""

# See docs/decisions/tables.md.
from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import chain
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.form.cells import Cell
from digits.layout.pieces import common_box

WIDE = 1.25  # ratio of width to height from which a cell may be for a whole number and not for one digit
_GAP = 0.4  # below this share of the usual side, a cell is a gap between boxes
# Least overlap of neighbours: in a row relative to the greater height, in a column to the smaller width.
_BESIDE = 0.6
_ACROSS = 1.0  # greatest distance between neighbours in a row, relative to a cell's width
_LOW = 0.5  # least height of a row, relative to the writing's height
_BELOW = 0.3  # greatest distance between neighbours in a column, relative to a cell's height
_APART = 2.5  # greatest gap between rows, relative to the gap between boxes in a row
_TALL = 1.5  # above this multiple of the usual height in its row, a cell spans two rows
_EVEN = 0.2  # greatest extra distance of a second neighbour on the same side, relative to a cell's side


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The cells of each row, from the left."""

    rows: tuple[tuple[Cell, ...], ...]


def tables_of(groups: Sequence[tuple[Cell, ...]]) -> tuple[Table, ...]:
    """The tables of separate groups of cells, from the top; of two next to each other, the left one first."""
    tables = chain.from_iterable(map(find_tables, groups))
    return tuple(sorted(tables, key=cmp_to_key(_order)))


def find_tables(cells: tuple[Cell, ...]) -> tuple[Table, ...]:
    """The tables that these cells form, including single rows of boxes, from the top."""
    found = _without_slits(cells)
    if not found:
        return ()
    boxes = np.array([cell.box for cell in found], float)
    beside, across = _neighbours(boxes, np.maximum, _ACROSS)
    # Separate boxes form a table if a number fits in each, or if rows are hardly further apart than boxes.
    room = _APART * float(np.median(across)) if len(across) else 0.0
    if np.median([cell.width / cell.height for cell in found]) > WIDE:
        room = np.inf
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
    """Negative if the first table is read before the second, positive if after it."""
    (left, top, _, bottom), (other_left, other_top, _, other_bottom) = (
        common_box([cell.box for row in table.rows for cell in row]) for table in (first, second)
    )
    shared = min(bottom, other_bottom) - max(top, other_top)
    beside = shared > min(bottom - top, other_bottom - other_top) / 2
    return left - other_left if beside else top - other_top


def with_room(tables: Sequence[Table], height: float) -> tuple[Table, ...]:
    """The tables without rows too low for writing of this height (gaps next to lines of the paper)."""
    found = []
    for table in tables:
        rows = [row for row in table.rows if median(cell.height for cell in row) >= _LOW * height]
        found.append(Table(tuple(rows)))
    return tuple(table for table in found if sum(map(len, table.rows)) > 1)


def columns(table: Table) -> dict[Cell, int]:
    """The column of each cell: that of the nearest cell in the row that has the most cells."""
    fullest = max(table.rows, key=len)
    middles = np.array([cell.middle[0] for cell in fullest])
    middle_row = table.rows.index(fullest)
    found: dict[Cell, int] = {}
    # From row to row, so that columns are followed in a table that is tilted in the picture.
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
    """The cells without the narrow gaps between double lines or adjacent boxes."""
    if not cells:
        return cells
    width, height = (np.median(sides) for sides in zip(*((c.width, c.height) for c in cells), strict=True))
    return tuple(cell for cell in cells if cell.width > _GAP * width and cell.height > _GAP * height)


def _neighbours(
    boxes: NDArray[np.float64], side: np.ufunc, most: float, room: float = 0.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which boxes (n, 4) are right neighbours of which, (n, n), and the distances of all such pairs.

    Neighbours have no box between them, and share enough of the greater or smaller height (`side` is
    `np.maximum` or `np.minimum`). Their distance is at most `most` times the narrower width or, if more,
    `room`, but never more than that width.
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
    """The row of each cell that is connected with the first one through neighbours.

    A cell as high as two rows, because the rule between them was not found, is in a row of its own (True).
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
