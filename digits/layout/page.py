"""A whole page: its printed lines taken out, and its writing in lines, each with the cells that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from digits.ink.extraction import Darkness, Ink, ink_of
from digits.ink.ruled_lines import near_the_border
from digits.ink.sheet import Sheet
from digits.layout.cells import NO_CELLS, Cell, Cells, find_cells
from digits.layout.components import Piece, Pieces, find_pieces
from digits.layout.erasing import without
from digits.layout.frames import find_frames
from digits.layout.grouping import Found
from digits.layout.lines import Run, grouped, runs
from digits.layout.numbers import spaces
from digits.layout.tables import Table, columns, find_tables

_SMALL = 0.02  # of the largest piece: what is smaller is a speck
_LONG = 1.4  # times the usual size of all pieces: a line is longer
_WHOLE = 0.8  # of the picture's side: what goes through it may be a line of the paper
_STROKES = 2  # at most, of one digit
_HOLES = 2  # at most, in a digit: more are boxes
_OVER = 0.2  # of a cell's height: what is written so far above or below it is meant for it
_HIGH = 1.6  # times the usual height of a row
_WIDE = 1.25  # times as wide as high: a cell of a single row that may hold a number of its own


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing as its runs, from the left; `row` of `table` where it fills one."""

    runs: list[Run]
    table: Table | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """The ink of a page, its lines of writing from the top, and its cells."""

    ink: Ink
    lines: list[Line]
    cells: Cells


@dataclass(frozen=True, slots=True)
class Group:
    """Marks of a line, by their places in it, that make one number; where in a table it stands."""

    marks: tuple[int, ...]
    row: int | None = None
    column: int | None = None


def find_page(darkness: Darkness) -> Page:
    """What is written on a page, and where."""
    cells, found = NO_CELLS, False
    if _may_be_printed(darkness):
        darkness = darkness.finer()
        dark = darkness.dark.whole
        frames = find_frames(dark, darkness.least)
        cells = find_cells(frames, dark.shape)
        found = bool(frames.lying or frames.combs)
        if frames.all_lying() or frames.all_standing():
            darkness = replace(darkness, dark=Sheet.all_of(without(dark, frames, darkness.least)))
    ink = ink_of(darkness, ruled=not found)
    pieces = find_pieces(ink.place, ink.rough, page=True)
    return Page(ink, _lines(pieces, ink, cells), cells)


def _may_be_printed(darkness: Darkness) -> bool:
    """Whether there may be printed lines: what else is a drawing of digits, of marks that are much alike.

    A line is much longer than what is beside it, has it inside, or is made of many dashes; and it may come
    near the picture's edges.
    """
    dark = darkness.dark
    mask = dark.holding(np.asarray(dark.part > darkness.least, np.uint8))
    if darkness.rough:
        return True
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask.part, 8, cv2.CV_32S, cv2.CCL_GRANA)
    stats = stats[1:]
    sizes = stats[:, 2:4].max(axis=1)
    if not len(sizes):
        return False
    marks = stats[sizes >= _SMALL * sizes.max()]
    left, top, across, down = marks[np.argmax(marks[:, 2:4].max(axis=1)), :4].tolist()
    whole = across > _WHOLE * dark.width or down > _WHOLE * dark.height
    if (whole or len(marks) > _STROKES) and near_the_border(mask):
        return True
    inside = (marks[:, 0] > left) & (marks[:, 0] + marks[:, 2] < left + across)
    inside &= (marks[:, 1] > top) & (marks[:, 1] + marks[:, 3] < top + down)
    usual = np.sort(marks[:, 2:4].max(axis=1))[(len(marks) - 1) // 2]
    if inside.any() or (len(marks) > _STROKES and max(across, down) > _LONG * usual):
        return True
    part = mask.part[top : top + down, left : left + across]
    _, kinds = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return bool(np.count_nonzero(kinds[0, :, 3] >= 0) > _HOLES)


def _lines(pieces: Pieces, ink: Ink, cells: Cells) -> list[Line]:
    tables = [table for table in find_tables(cells) if sum(map(len, table.rows)) > 1]
    row_of = {cell: (table, row) for table in tables for row, some in enumerate(table.rows) for cell in some}
    free: list[Piece] = []
    filled: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces.kept:
        cell = _cell_of(piece, cells)
        place = row_of.get(cell) if cell is not None else None
        place = place or next(
            ((table, row) for table in tables for row, some in enumerate(table.rows) if _beside(piece, some)),
            None,
        )
        if place is None:
            free.append(piece)
        else:
            filled.setdefault((tables.index(place[0]), place[1]), []).append(piece)

    def parted(left: Piece, right: Piece) -> bool:
        return bool(row_of) and _cell_of(left, cells) is not _cell_of(right, cells)

    lines = [Line(runs(line, pieces, ink.strength, parted)) for line in grouped(free)]
    for (number, row), some in filled.items():
        for line in _split_row(some, tables[number], row):
            lines.append(Line(runs(line, pieces, ink.strength, parted), tables[number], row))
    return sorted((line for line in lines if line.runs), key=_middle)


def _split_row(some: list[Piece], table: Table, row: int) -> list[list[Piece]]:
    """The pieces of a row: by line where the row is twice as high as others, for a rule of it was lost."""
    heights = [float(np.median([cell.height for cell in cells])) for cells in table.rows]
    return grouped(some) if heights[row] > _HIGH * float(np.median(heights)) else [some]


def _beside(piece: Piece, row: Sequence[Cell]) -> bool:
    """Whether a piece stands at the height of these cells, next to the first or the last, or among them."""
    x, y = (piece.box[0] + piece.box[2]) / 2, (piece.box[1] + piece.box[3]) / 2
    nearest = min(row, key=lambda cell: max(cell.box[0] - x, x - cell.box[2]))
    apart = max(nearest.box[0] - x, x - nearest.box[2])
    over = _OVER * nearest.height
    return apart < nearest.width and nearest.box[1] - over <= y <= nearest.box[3] + over


def _cell_of(piece: Piece, cells: Cells) -> Cell | None:
    left, top, right, bottom = piece.box
    return cells.at((left + right) / 2, (top + bottom) / 2)


def _middle(line: Line) -> float:
    return float(np.median([atom.box[1] + atom.box[3] for run in line.runs for atom in run.atoms]))


def numbers_of(line: Line, marks: Sequence[Found], cells: Cells) -> list[Group]:
    """The marks of a line, from the left, put together to numbers."""
    if line.table is None:
        height = line.runs[0].height
        starts = spaces([mark.atom.box for mark in marks], height)
        return [Group(tuple(some)) for some in _split(range(len(marks)), starts)]
    where = [_cell_of_mark(mark, cells) for mark in marks]
    starts = [left is not right for left, right in pairwise(where)]
    groups = _split(range(len(marks)), starts)
    if len(line.table.rows) == 1:
        wide = np.median([cell.width / cell.height for cell in line.table.rows[0]]) > _WIDE
        if wide and max(map(len, groups)) > 1:
            return [Group(tuple(some)) for some in groups]
        return [Group(tuple(range(len(marks))))]
    column_of = columns(line.table)
    return [Group(tuple(some), line.row, _column(where[some[0]], column_of)) for some in groups]


def _column(cell: Cell | None, column_of: dict[Cell, int]) -> int | None:
    return None if cell is None else column_of.get(cell)


def _cell_of_mark(mark: Found, cells: Cells) -> Cell | None:
    left, top, right, bottom = mark.atom.box
    return cells.at((left + right) / 2, (top + bottom) / 2)


def _split(places: range, starts: Sequence[bool]) -> list[list[int]]:
    groups: list[list[int]] = [[]] if places else []
    for place in places:
        if place and starts[place - 1]:
            groups.append([])
        groups[-1].append(place)
    return groups
