"""Where one number ends and the next begins: at wide gaps of a line, or where a cell ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.ink.sheet import Box
from digits.layout.cells import Cells
from digits.layout.grid import Grid
from digits.layout.grouping import Found
from digits.layout.page import Line, Page
from digits.layout.tables import WIDE, Table

_SPACE = 0.85  # of the line's height: a wider gap parts two numbers, where no others are there to compare
_NARROWEST = 0.45  # the same: no narrower one does
_PLAINLY = 1.7  # times as wide as all others: the gaps between numbers
_SIDE_BY_SIDE = 2  # gaps within numbers, and between them, tell how wide both are


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of a line, by their places in it, that make one number; where in a table it stands."""

    marks: tuple[int, ...]
    row: int | None = None
    column: int | None = None


def numbers_of(
    page: Page, found: Sequence[Sequence[Found]], grids: Mapping[Table, Grid]
) -> list[list[Group]]:
    """For each line of a page its marks, from the left, put together to numbers."""
    apart = [
        gaps([mark.atom.box for mark in marks], line.runs[0].height) if line.table is None else []
        for line, marks in zip(page.lines, found, strict=True)
    ]
    widest = widest_within([gap for some in apart for gap in some])
    if page.fields and len(page.lines) == 1:
        widest = np.inf  # a row of boxes holds one number
    return [
        _in_table(line, line.table, marks, page.cells, grids.get(line.table))
        if line.table is not None and marks
        else [Group(tuple(some)) for some in _split(range(len(marks)), [gap > widest for gap in own])]
        for line, marks, own in zip(page.lines, found, apart, strict=True)
    ]


def _in_table(
    line: Line, table: Table, marks: Sequence[Found], cells: Cells, grid: Grid | None
) -> list[Group]:
    boxes = [mark.atom.box for mark in marks]
    where = [cells.around(box) for box in boxes]
    starts = [left is not right for left, right in pairwise(where)]
    groups = _split(range(len(marks)), starts)
    if grid is None:
        # Where a rule between two boxes was not found, one box is as wide as two.
        wide = np.quantile([cell.width / cell.height for cell in table.rows[0]], 0.25) > WIDE
        if wide and max(map(len, groups)) > 1:
            return [Group(tuple(some)) for some in groups]
        return [Group(tuple(range(len(marks))))]
    places = (grid.column(line.row, where[some[0]], boxes[some[0]]) for some in groups)
    return [Group(tuple(some), line.row, column) for some, column in zip(groups, places, strict=True)]


def _split(places: range, starts: Sequence[bool]) -> list[list[int]]:
    groups: list[list[int]] = [[]] if places else []
    for place in places:
        if place and starts[place - 1]:
            groups.append([])
        groups[-1].append(place)
    return groups


def gaps(boxes: Sequence[Box], height: float) -> list[float]:
    """How far each two neighbours of a line are apart, left to right, in heights of the line."""
    return [(right[0] - left[2]) / height for left, right in pairwise(boxes)]


def widest_within(apart: Sequence[float]) -> float:
    """The widest gap within a number, of all gaps of a page: those between numbers are plainly wider."""
    found = np.sort(np.maximum(apart, _NARROWEST / _PLAINLY))
    if len(found) < 2 * _SIDE_BY_SIDE:
        return _SPACE
    steps = (found[1:] / found[:-1])[_SIDE_BY_SIDE - 1 : len(found) - _SIDE_BY_SIDE]
    widest = int(np.argmax(steps)) + _SIDE_BY_SIDE - 1
    if steps.max() < _PLAINLY or found[widest] > _SPACE:
        return _SPACE
    return float(np.clip(np.sqrt(found[widest] * found[widest + 1]), _NARROWEST, _SPACE))
