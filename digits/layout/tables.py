"""Rows and columns: which cells stand beside and below each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from digits.layout.cells import Cell, Cells

_GAP = 0.4  # of the usual side: what is narrower is room between boxes
_BESIDE = 0.6  # of the larger one's side that two neighbours share
_ACROSS = 0.6  # of a cell's width: no two neighbours of one row are further apart
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
    beside = _linked(found, _are_beside)
    below = _linked(found, _are_below)
    both = [first | second for first, second in zip(beside, below, strict=True)]
    tables = []
    for group in _groups(range(len(found)), both):
        rows = _groups(group, [links & set(group) for links in beside])
        cells_of = [sorted((found[k] for k in row), key=lambda cell: cell.middle[0]) for row in rows]
        cells_of.sort(key=lambda row: float(np.mean([cell.middle[1] for cell in row])))
        tables.append(Table(tuple(tuple(row) for row in cells_of)))
    return tuple(sorted(tables, key=lambda table: table.rows[0][0].box[1]))


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
            for cell in table.rows[number]:
                column = int(np.argmin(np.abs(near - cell.middle[0])))
                found[cell] = column
                near[column] = cell.middle[0]
    return found


def _without_gaps(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells without the room between separate boxes, which is narrower or lower than they."""
    if not cells:
        return cells
    width, height = (np.median(sides) for sides in zip(*((c.width, c.height) for c in cells), strict=True))
    return tuple(cell for cell in cells if cell.width > _GAP * width and cell.height > _GAP * height)


def _linked(cells: tuple[Cell, ...], linked: Callable[[Cell, Cell], bool]) -> list[set[int]]:
    """For each cell the numbers of those that it is linked with; only near ones are asked."""
    links: list[set[int]] = [set() for _ in cells]
    boxes = np.array([cell.box for cell in cells], float).reshape(-1, 4)
    room = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0.0)
    for k, cell in enumerate(cells):
        apart = np.maximum(boxes[:, :2] - boxes[k, 2:], boxes[k, :2] - boxes[:, 2:]).max(axis=1)
        for other in np.flatnonzero(apart <= np.minimum(room, room[k])).tolist():
            if other != k and (linked(cell, cells[other]) or linked(cells[other], cell)):
                links[k].add(other)
                links[other].add(k)
    return links


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


def _are_beside(left: Cell, right: Cell) -> bool:
    shared = min(left.box[3], right.box[3]) - max(left.box[1], right.box[1])
    apart = right.box[0] - left.box[2]
    nearest = min(left.width, right.width)
    return (
        shared >= _BESIDE * max(left.height, right.height)
        and -0.5 * nearest <= apart <= _ACROSS * nearest
        and right.middle[0] > left.middle[0]
    )


def _are_below(upper: Cell, lower: Cell) -> bool:
    shared = min(upper.box[2], lower.box[2]) - max(upper.box[0], lower.box[0])
    apart = lower.box[1] - upper.box[3]
    nearest = min(upper.height, lower.height)
    return (
        shared >= _BESIDE * min(upper.width, lower.width)
        and -0.5 * nearest <= apart <= _BELOW * nearest
        and lower.middle[1] > upper.middle[1]
    )
