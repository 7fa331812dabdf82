"""A whole page: its printed lines taken out, and its writing in lines, each with the cells that it fills."""

# Why it is so: docs/decisions/papers.md
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from digits.ink.extraction import Darkness, Ink, ink_of
from digits.ink.sheet import Grey, Sheet
from digits.layout.across_cells import cut_at_rules
from digits.layout.atoms import Run
from digits.layout.cells import NO_CELLS, Cell, Cells
from digits.layout.components import find_pieces, long_lines
from digits.layout.digit_boxes import digit_boxes
from digits.layout.fields import in_cells, on_lines
from digits.layout.first_look import boxes_of, may_be_printed, weakest_ink
from digits.layout.form import Form, find_form
from digits.layout.frames.cut_lines import without_cut_lines
from digits.layout.frames.erasing import without
from digits.layout.lines import grouped, runs
from digits.layout.pieces import Piece, Pieces
from digits.layout.rules.rule import Rule
from digits.layout.tables import Table, tables_of, with_room

_TINY = 64  # pixels: in a picture this small edges are too short for the segment detector
_LIGHTER = 0.25  # of the printed lines' darkness: writing is seldom so light
_LOWEST = 0.2  # of a cell's shorter side: what is smaller is dirt, or a sign
_NEAR = 5.0  # times that: how far from all cells there is none of that dirt
_LABEL = 0.1  # of the picture's width: before a form's line to write on there is room for its label
_FIELDS = 3  # rules that stand
_OVER = 0.2  # of a cell's height: what is written so far above or below it is meant for it
_HIGH = 1.6  # times the usual height of a row


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing as its runs, from the left; `row` of `table` where it fills one."""

    runs: list[Run]
    table: Table | None = None
    row: int = 0

    @property
    def middle(self) -> float:
        return median(atom.box[1] + atom.box[3] for run in self.runs for atom in run.atoms)


@dataclass(frozen=True, slots=True)
class Page:
    """The ink of a page, its lines of writing from the top, its cells, and the tables that they make.

    `fields`: lines that stand part what is written, though not all of them were found.
    """

    ink: Ink
    lines: list[Line]
    cells: Cells
    tables: tuple[Table, ...] = ()
    fields: bool = False


def find_page(darkness: Darkness, known: Sequence[Rule] | None = None) -> Page:
    """What is written on a page, and where.

    Where lines were taken out already, `known` are those of them to write on.
    """
    form, found, fields, under = Form(), False, False, list(known or ())
    boxes = None if darkness.rough else boxes_of(darkness)
    if boxes is None or may_be_printed(darkness, boxes):
        if known is None and min(darkness.dark.width, darkness.dark.height) <= _TINY:
            darkness = darkness.enlarged()
        darkness = darkness.finer()
        dark = darkness.dark.whole
        form = find_form(dark, darkness.least)
        frames = form.frames
        # Where the sheet is cut off above and below its boxes, only what stands between them is left.
        cut_off = not frames.standing and len(frames.other_lying) < _FIELDS
        fields = len(frames.other_standing if cut_off else frames.standing) >= _FIELDS
        under += [rule for rule in frames.other_lying if rule.start > _LABEL * dark.shape[1]]
        found = bool(frames.all_lying() or frames.all_standing())
        clean = without(dark, frames, darkness.least) if found else dark
        clean = without_cut_lines(clean, darkness.least)
        found = clean is not dark
        if found:
            darkness = replace(darkness, dark=Sheet.all_of(clean), faintest=_faintest(darkness, clean))
        boxes = boxes_of(darkness)
    ink = ink_of(darkness, ruled=not found, weakest=weakest_ink(darkness, boxes, found))
    pieces = find_pieces(ink.place, ink.rough, page=True)
    if found and known is None and not form.cells.found and long_lines(pieces.kept):
        # Digits that stand on a line can hide it, until the others are gone.
        return find_page(darkness, under)
    pieces = _without_dirt(pieces, form.cells)
    pieces = cut_at_rules(pieces, form.cells)
    height = median([piece.height for piece in pieces.kept] or [0])
    tables = with_room(tables_of(form.apart), height)
    return Page(ink, _lines(pieces, ink, form.cells, tables, under), form.cells, tables, fields)


def _faintest(darkness: Darkness, clean: Grey) -> int:
    """The faintest ink beside printed lines: what is far lighter than they is the paper's own unrest."""
    dark = darkness.dark.whole
    erased = dark[(dark > darkness.least) & (clean <= darkness.least)]
    usual = float(np.median(erased)) if erased.size else 0.0
    return max(darkness.faintest, int(_LIGHTER * usual))


def _without_dirt(pieces: Pieces, cells: Cells) -> Pieces:
    """The pieces without those in or beside cells that are too low to be written there: traces of rules."""
    if not cells.found:
        return pieces
    boxes = np.array([cell.box for cell in cells.found])
    least = _LOWEST * float(np.median(np.minimum(*(boxes[:, 2:] - boxes[:, :2]).T)))

    def is_dirt(piece: Piece) -> bool:
        left, top, right, bottom = piece.box
        apart = np.maximum(boxes[:, :2] - (right, bottom), (left, top) - boxes[:, 2:]).max(axis=1)
        return piece.size < least and bool(apart.min() < _NEAR * least)

    dirt = {piece for piece in pieces.kept if is_dirt(piece)}
    kept = tuple(piece for piece in pieces.kept if piece not in dirt)
    low = tuple(piece for piece in pieces.kept if piece in dirt)
    return replace(pieces, kept=kept, specks=(*pieces.specks, *low))


def _lines(
    pieces: Pieces, ink: Ink, cells: Cells, tables: Sequence[Table], under: Sequence[Rule]
) -> list[Line]:
    """The lines of writing, in tables and elsewhere; `under`: those that a form has to write on."""
    row_of = {cell: (table, row) for table in tables for row, some in enumerate(table.rows) for cell in some}
    free: list[Piece] = []
    filled: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces.kept:
        cell = cells.around(piece.box)
        place = (row_of.get(cell) if cell else None) or next(
            ((table, row) for table in tables for row, some in enumerate(table.rows) if _beside(piece, some)),
            None,
        )
        if place is None:
            free.append(piece)
        else:
            filled.setdefault((tables.index(place[0]), place[1]), []).append(piece)

    def parted(left: Piece, right: Piece) -> bool:
        return bool(row_of) and cells.around(left.box) is not cells.around(right.box)

    lines = [Line(on_lines(runs(line, pieces, ink.strength, parted), under)) for line in grouped(free)]
    heights = [[median(cell.height for cell in cells) for cells in table.rows] for table in tables]
    for (number, row), some in filled.items():
        # Where a row is twice as high as others a rule of it was lost.
        high = heights[number][row] > _HIGH * float(np.median(heights[number]))
        boxes = digit_boxes(tables[number])
        for line in grouped(some) if high else [some]:
            found = runs(line, pieces, ink.strength, boxes.part if boxes else parted, boxes)
            of_heading = row == 0 and len(heights[number]) > 1
            lines.append(Line(in_cells(found, cells if of_heading else NO_CELLS), tables[number], row))
    return sorted((line for line in lines if line.runs), key=lambda line: line.middle)


def _beside(piece: Piece, row: Sequence[Cell]) -> bool:
    """Whether a piece stands at the height of these cells, next to the first or the last, or among them."""
    x, y = (piece.box[0] + piece.box[2]) / 2, (piece.box[1] + piece.box[3]) / 2
    nearest = min(row, key=lambda cell: max(cell.box[0] - x, x - cell.box[2]))
    apart = max(nearest.box[0] - x, x - nearest.box[2])
    over = _OVER * nearest.height
    return apart < max(cell.width for cell in row) and nearest.box[1] - over <= y <= nearest.box[3] + over
