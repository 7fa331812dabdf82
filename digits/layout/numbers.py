"""Divides the marks of a line into numbers: at wide gaps, or where a cell ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digits.ink.sheet import Box
from digits.layout.form.cells import Cells
from digits.layout.form.tables import WIDE, Table
from digits.layout.grid import Grid
from digits.layout.grouping import Found
from digits.layout.page import Line, Page

_SPACE = 0.85  # least gap between two numbers without other gaps to compare, relative to the line's height
_NARROWEST = 0.45  # least gap between two numbers in any case, relative to the line's height
_PLAINLY = 1.7  # least gap between numbers, relative to the gaps within numbers
_SIDE_BY_SIDE = 2  # least number of gaps within numbers, and between numbers, for a comparison


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of a line, by their indices in it, that form one number; and its row and column in a table."""

    marks: tuple[int, ...]
    row: int | None = None
    column: int | None = None


def numbers_of(
    page: Page, found: Sequence[Sequence[Found]], grids: Mapping[Table, Grid]
) -> list[list[Group]]:
    """The numbers of each line of a page, from the left."""
    apart = [
        gaps([mark.atom.box for mark in marks], line.runs[0].height) if line.table is None else []
        for line, marks in zip(page.lines, found, strict=True)
    ]
    widest = widest_within([gap for some in apart for gap in some])
    if page.fields and len(page.lines) == 1:
        widest = np.inf  # a row of boxes has one number
    groups = []
    for line, marks, own in zip(page.lines, found, apart, strict=True):
        if line.table is not None and marks:
            groups.append(_in_table(line, line.table, marks, page.cells, grids.get(line.table)))
        else:
            parts = _split(range(len(marks)), [gap > widest for gap in own])
            groups.append([Group(tuple(part)) for part in parts])
    return groups


def _in_table(
    line: Line, table: Table, marks: Sequence[Found], cells: Cells, grid: Grid | None
) -> list[Group]:
    boxes = [mark.atom.box for mark in marks]
    where = [cells.around(box) for box in boxes]
    starts = [left is not right for left, right in pairwise(where)]
    groups = _split(range(len(marks)), starts)
    if grid is None:
        # If a rule between two boxes was not found, they are one box of twice the width.
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
    """The gaps between neighbouring boxes of a line, from the left, relative to the height of the line."""
    return [(right[0] - left[2]) / height for left, right in pairwise(boxes)]


def widest_within(apart: Sequence[float]) -> float:
    """The widest gap within a number, from all gaps of a page. Gaps between numbers are clearly wider."""
    found = np.sort(np.maximum(apart, _NARROWEST / _PLAINLY))
    if len(found) < 2 * _SIDE_BY_SIDE:
        return _SPACE
    steps = (found[1:] / found[:-1])[_SIDE_BY_SIDE - 1 : len(found) - _SIDE_BY_SIDE]
    widest = int(np.argmax(steps)) + _SIDE_BY_SIDE - 1
    if steps.max() < _PLAINLY or found[widest] > _SPACE:
        return _SPACE
    return float(np.clip(np.sqrt(found[widest] * found[widest + 1]), _NARROWEST, _SPACE))
