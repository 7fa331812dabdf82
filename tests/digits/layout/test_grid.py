"""Tests of the columns of tables, with and without closing lines at their sides."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from digits.ink.extraction import Ink
from digits.ink.sheet import Box
from digits.layout.atoms import Atom
from digits.layout.form.cells import Cell, Cells
from digits.layout.form.tables import Table, find_tables
from digits.layout.grid import Grid, grids_of
from digits.layout.grouping import Found
from digits.layout.page import Line, Page


def _table(rows: int = 3, columns: int = 3) -> Table:
    """Cells of 80 by 40 pixels, the first at (100, 20)."""
    boxes = [
        (100 + 80 * c + 2, 20 + 40 * r + 2, 100 + 80 * c + 79, 20 + 40 * r + 39)
        for r in range(rows)
        for c in range(columns)
    ]
    cells = tuple(Cell(k + 1, box) for k, box in enumerate(boxes))
    (table,) = find_tables(cells)
    return table


LEFT: Box = (60, 30, 80, 55)
BETWEEN: Box = (195, 30, 205, 55)
RIGHT: Box = (350, 70, 370, 95)


def test_a_closed_table_has_the_columns_of_its_cells() -> None:
    table = _table()
    grid = Grid.of(table, [(0, BETWEEN)])
    assert (grid.rows, grid.columns) == (3, 3)
    assert [grid.column(1, cell, cell.box) for cell in table.rows[1]] == [0, 1, 2]
    assert [place for place, _ in grid.cells()][:3] == [(0, 2), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("outside", "columns", "first"),
    [([(0, LEFT)], 4, 1), ([(1, RIGHT)], 4, 0), ([(0, LEFT), (1, RIGHT)], 5, 1)],
)
def test_writing_beside_a_table_makes_a_column(
    outside: list[tuple[int, Box]], columns: int, first: int
) -> None:
    table = _table()
    grid = Grid.of(table, outside)
    assert grid.columns == columns
    assert grid.column(0, table.rows[0][0], table.rows[0][0].box) == first
    places = [grid.column(row, None, box) for row, box in outside]
    assert places == [0 if box is LEFT else columns - 1 for _, box in outside]


def test_writing_in_a_cell_beside_a_table_makes_a_column_too() -> None:
    table, beside = _table(), Cell(10, LEFT)
    labels = np.zeros((150, 400), np.int32)
    labels[LEFT[1] : LEFT[3], LEFT[0] : LEFT[2]] = beside.label
    cells = Cells(labels, 1, (*(cell for row in table.rows for cell in row), beside))
    seen = np.zeros((28, 28), np.float32)
    mark = Found(Atom(LEFT, np.zeros((25, 20), np.uint8)), seen, np.full(10, 0.1, np.float32), 0.0)
    grid = grids_of(Page(cast(Ink, None), [Line([], table, 0)], cells, (table,)), [[mark]])[table]
    assert grid.columns == 4
    assert grid.column(0, cells.around(LEFT), LEFT) == 0
