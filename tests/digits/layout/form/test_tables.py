from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Box
from digits.layout.form.cells import Cell, find_cells
from digits.layout.form.tables import columns, find_tables, tables_of, with_room
from tests.digits.layout.forms import X, Y, frames_of, in_perspective, leaning, ruled_grid, sheet

WIDE = tuple(range(40, 841, 100))


def _cells(*boxes: Box) -> tuple[Cell, ...]:
    return tuple(Cell(k + 1, box) for k, box in enumerate(boxes))


def _grid(left: int, top: int, rows: int, count: int, width: int = 80, height: int = 40) -> list[Box]:
    return [
        (left + c * width + 2, top + r * height + 2, left + (c + 1) * width - 1, top + (r + 1) * height - 1)
        for r in range(rows)
        for c in range(count)
    ]


def test_a_grid_is_a_table_by_row_from_the_left() -> None:
    grey = ruled_grid(sheet(440, 340), X, Y)
    (table,) = find_tables(find_cells(frames_of(grey), grey.shape).found)
    assert [len(row) for row in table.rows] == [3, 3, 3]
    middles = [[cell.middle for cell in row] for row in table.rows]
    assert np.array(middles)[..., 0] == pytest.approx(np.tile((100, 220, 340), (3, 1)), abs=3)
    assert np.array(middles)[..., 1] == pytest.approx(np.tile((90, 170, 250), (3, 1)).T, abs=3)


def test_a_row_too_low_to_write_in_is_none() -> None:
    boxes = _grid(20, 30, 1, 6, height=80)
    below = [(left, bottom + 3, right, bottom + 25) for left, _, right, bottom in boxes]
    (table,) = with_room(find_tables(_cells(*boxes, *below)), 50)
    assert [len(row) for row in table.rows] == [6]
    (table,) = with_room(find_tables(_cells(*boxes, *below)), 10)
    assert [len(row) for row in table.rows] == [6, 6]


def test_a_row_of_boxes_is_one_row() -> None:
    (table,) = find_tables(_cells(*_grid(20, 30, 1, 6)))
    assert [len(row) for row in table.rows] == [6]


def test_a_column_of_boxes_has_a_row_for_each() -> None:
    (table,) = find_tables(_cells(*_grid(20, 30, 5, 1)))
    assert [len(row) for row in table.rows] == [1] * 5


def test_boxes_a_little_apart_are_one_row() -> None:
    (table,) = find_tables(_cells(*((left, 40, left + 60, 110) for left in range(20, 400, 80))))
    assert [len(row) for row in table.rows] == [5]


def test_tables_far_from_each_other_are_two_from_the_top() -> None:
    lower, upper = _grid(20, 400, 2, 3), _grid(60, 30, 1, 4)
    tables = find_tables(_cells(*lower, *upper))
    assert [[len(row) for row in table.rows] for table in tables] == [[4], [3, 3]]


def test_cells_that_stand_apart_are_of_tables_of_their_own() -> None:
    lower, upper = _cells(*_grid(20, 120, 2, 3)), _cells(*_grid(20, 30, 2, 3))
    tables = tables_of([lower, upper])
    assert [[len(row) for row in table.rows] for table in tables] == [[3, 3], [3, 3]]
    assert tables[0].rows[0] == upper[:3]


@pytest.mark.parametrize("higher", [-30, 0, 30])
def test_of_tables_beside_each_other_the_left_one_is_first(higher: int) -> None:
    left, right = _cells(*_grid(20, 60, 3, 2)), _cells(*_grid(300, 60 + higher, 2, 3))
    assert [len(table.rows) for table in tables_of([right, left])] == [3, 2]


def test_no_cells_make_no_tables() -> None:
    assert find_tables(_cells()) == ()


@pytest.mark.parametrize("degrees", [-5, 5])
def test_a_leaning_table_keeps_its_rows_and_columns(degrees: float) -> None:
    grey = leaning(ruled_grid(sheet(900, 640), WIDE, tuple(range(120, 521, 50))), degrees)
    (table,) = find_tables(find_cells(frames_of(grey), grey.shape).found)
    assert [len(row) for row in table.rows] == [8] * 8
    found = columns(table)
    assert [[found[cell] for cell in row] for row in table.rows] == [list(range(8))] * 8


def test_a_table_in_perspective_keeps_its_rows_and_columns() -> None:
    grey = in_perspective(ruled_grid(sheet(900, 640), WIDE, tuple(range(120, 521, 50))), 0.1)
    (table,) = find_tables(find_cells(frames_of(grey), grey.shape).found)
    found = columns(table)
    assert [[found[cell] for cell in row] for row in table.rows] == [list(range(8))] * 8


@pytest.mark.parametrize(
    "missing",
    [
        0,
        1,
        3,
    ],
)
def test_a_cell_keeps_its_column_where_another_is_missing(missing: int) -> None:
    boxes = _grid(20, 30, 3, 4)
    del boxes[4 + missing]  # of the middle row
    (table,) = find_tables(_cells(*boxes))
    found = columns(table)
    left = [column for column in range(4) if column != missing]
    assert [[found[cell] for cell in row] for row in table.rows] == [[0, 1, 2, 3], left, [0, 1, 2, 3]]


def test_a_cell_of_two_rows_is_in_a_row_of_its_own() -> None:
    boxes = _grid(20, 30, 4, 3)
    (left, top, right, _), (_, _, _, bottom) = boxes[4], boxes[7]
    boxes[4] = (left, top, right, bottom)
    del boxes[7]
    (table,) = find_tables(_cells(*boxes))
    assert [len(row) for row in table.rows] == [3, 2, 1, 2, 3]
