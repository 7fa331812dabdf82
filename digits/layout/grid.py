"""The rows and columns of a table, including outer columns that no printed line closes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from digits.ink.sheet import Box
from digits.layout.form.cells import Cell
from digits.layout.form.tables import Table, columns
from digits.layout.grouping import Found
from digits.layout.page import Page


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A table and its number of `columns`; `_first` is the index of the column of its first printed cells."""

    table: Table
    columns: int
    _column_of: dict[Cell, int]
    _first: int

    @classmethod
    def of(cls, table: Table, outside: Iterable[tuple[int, Box]]) -> Grid:
        """`outside` are the rows and boxes of what is written in a row, but in none of its cells."""
        column_of = columns(table)
        beside = [_column_at(table.rows[row], column_of, box) for row, box in outside]
        first = max(0, -min(beside, default=0))
        return cls(table, first + 1 + max([*column_of.values(), *beside]), column_of, first)

    @property
    def rows(self) -> int:
        return len(self.table.rows)

    def cells(self) -> Iterator[tuple[tuple[int, int], Box]]:
        """The printed cells as ((row, column), box).

        Those of a row come from the right, so a dict keeps the left one of two in the same place.
        """
        for row, some in enumerate(self.table.rows):
            for cell in reversed(some):
                yield (row, self._first + self._column_of[cell]), cell.box

    def column(self, row: int, cell: Cell | None, box: Box) -> int:
        """The column of what is written in a cell of a row or, without a cell, next to or between cells."""
        own = self._column_of.get(cell) if cell is not None else None
        return self._first + (_column_at(self.table.rows[row], self._column_of, box) if own is None else own)


def grids_of(page: Page, found: Sequence[Sequence[Found]]) -> dict[Table, Grid]:
    """The grid of each table with at least two rows; `found` are the marks of each line."""
    outside: dict[Table, list[tuple[int, Box]]] = {table: [] for table in page.tables if len(table.rows) > 1}
    own = {table: {cell for row in table.rows for cell in row} for table in outside}
    for line, marks in zip(page.lines, found, strict=True):
        if line.table in outside:
            cells = own[line.table]
            boxes = (mark.atom.box for mark in marks)
            outside[line.table].extend(
                (line.row, box) for box in boxes if page.cells.around(box) not in cells
            )
    return {table: Grid.of(table, some) for table, some in outside.items()}


def _column_at(row: Sequence[Cell], column_of: dict[Cell, int], box: Box) -> int:
    """The column of a box outside a row's cells: before the first, after the last, or that of the nearest."""
    middle = (box[0] + box[2]) / 2
    if middle < row[0].box[0]:
        return column_of[row[0]] - 1
    if middle >= row[-1].box[2]:
        return column_of[row[-1]] + 1
    return column_of[min(row, key=lambda cell: abs(cell.middle[0] - middle))]
