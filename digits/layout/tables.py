"""Rows and columns: which cells stand beside and below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digits.layout.cells import Cell, Cells

_GAP = 0.4  # of the usual side: what is narrower is room between boxes
_BESIDE = 0.6  # of the larger one's height, or the smaller one's width, that two neighbours share
_ACROSS = 0.6  # of a cell's width: no two neighbours of one row are further apart
_LOW = 0.5  # of the writing's height: no row is lower
_BELOW = 0.3  # of a cell's height: no two neighbours of one column are further apart


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands: which table, row and column, counted from 0."""

    table: int
    row: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Cells by row, from the left; `is_grid`: two rows and two columns at least."""

    rows: tuple[tuple[Cell, ...], ...]

    @property
    def is_grid(self) -> bool:
        return len(self.rows) > 1 and max(len(row) for row in self.rows) > 1


def find_tables(cells: Cells) -> tuple[Table, ...]:
    """The cells put together to tables, boxes of one row included; from the top."""
    found = _without_gaps(cells.found)
    boxes = np.array([cell.box for cell in found], float).reshape(-1, 4)
    beside = _neighbours(boxes, np.maximum, _ACROSS)
    below = _neighbours(boxes[:, [1, 0, 3, 2]], np.minimum, _BELOW)
    both = [first | second for first, second in zip(beside, below, strict=True)]
    tables = []
    for group in _groups(range(len(found)), both):
        members = set(group)
        rows = _groups(group, [links & members for links in beside])
        cells_of = [sorted((found[k] for k in row), key=lambda cell: cell.middle[0]) for row in rows]
        cells_of.sort(key=lambda row: float(np.mean([cell.middle[1] for cell in row])))
        tables.append(Table(tuple(tuple(row) for row in cells_of)))
    return tuple(sorted(tables, key=lambda table: table.rows[0][0].box[1]))


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


def _without_gaps(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells without the room between separate boxes, which is narrower or lower than they."""
    if not cells:
        return cells
    width, height = (np.median(sides) for sides in zip(*((c.width, c.height) for c in cells), strict=True))
    return tuple(cell for cell in cells if cell.width > _GAP * width and cell.height > _GAP * height)


def _neighbours(boxes: NDArray[np.float64], side: np.ufunc, most: float) -> list[set[int]]:
    """For each box (n, 4) the numbers of those beside it, left and right.

    They share enough of the height that `side` chooses of the two, and are no further apart than `most` of
    the narrower one's width.
    """
    left, top, right, bottom = boxes.T
    shared = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    apart = left[None] - right[:, None]
    nearest = np.minimum.outer(right - left, right - left)
    after = np.less.outer(left + right, left + right)
    links = (apart >= -0.5 * nearest) & (apart <= most * nearest) & after
    links &= shared >= _BESIDE * side.outer(bottom - top, bottom - top)
    return [set(np.flatnonzero(row).tolist()) for row in links | links.T]


def _groups(members: range | list[int], links: list[set[int]]) -> list[list[int]]:
    """What hangs together by links."""
    left, groups = set(members), []
    while left:
        group, fresh = set[int](), {min(left)}
        while fresh:
            group |= fresh
            fresh = {other for k in fresh for other in links[k] if other in left} - group
        left -= group
        groups.append(sorted(group))
    return groups
