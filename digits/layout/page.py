"""A whole page: removes its printed lines, and arranges its writing in lines and in the cells of tables."""

# See docs/decisions/papers.md.
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from digits.ink.extraction import Darkness, Ink, ink_of
from digits.ink.sheet import Grey, Sheet
from digits.layout.atoms import Run
from digits.layout.components import find_pieces, long_lines
from digits.layout.fields import in_cells, on_lines
from digits.layout.first_look import boxes_of, may_be_printed, weakest_ink
from digits.layout.form.across_cells import cut_at_rules
from digits.layout.form.cells import NO_CELLS, Cell, Cells
from digits.layout.form.digit_boxes import digit_boxes
from digits.layout.form.search import Form, find_form
from digits.layout.form.tables import Table, tables_of, with_room
from digits.layout.frames.cut_lines import without_cut_lines
from digits.layout.frames.erasing import without
from digits.layout.lines import grouped, runs
from digits.layout.pieces import Piece, Pieces
from digits.layout.rules.rule import Rule

_TINY = 64  # pixels: a smaller picture is enlarged, because its edges are too short for the segment detector
_LIGHTER = 0.25  # writing is hardly ever below this share of the printed lines' darkness
_LOWEST = 0.2  # below this share of a cell's shorter side, a piece is dirt or a sign
_NEAR = 5.0  # distance from cells within which such a piece is dirt, relative to its greatest size
_LABEL = 0.1  # least space for the label before a form's writing line, relative to the picture's width
_FIELDS = 3  # least number of vertical rules between fields
_OVER = 0.2  # writing this far above or below a cell belongs to it, relative to the cell's height
_HIGH = 1.6  # above this multiple of the usual row height, a row is two rows


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing as runs, from the left; if it is in a table, also the `table` and its `row`."""

    runs: list[Run]
    table: Table | None = None
    row: int = 0

    @property
    def middle(self) -> float:
        return median(atom.box[1] + atom.box[3] for run in self.runs for atom in run.atoms)


@dataclass(frozen=True, slots=True)
class Page:
    """The ink of a page, its lines of writing from the top, its cells, and the tables that these form.

    `fields` is true if vertical lines divide the writing into fields, even if some of the lines were not
    found.
    """

    ink: Ink
    lines: list[Line]
    cells: Cells
    tables: tuple[Table, ...] = ()
    fields: bool = False


def find_page(darkness: Darkness, known: Sequence[Rule] | None = None) -> Page:
    """The writing on a page, in lines and in the cells of tables.

    If lines were removed before, `known` are the writing lines among them.
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
        # If the sheet is cut off above and below its boxes, only the vertical lines between them remain.
        cut_off = not frames.vertical and len(frames.other_horizontal) < _FIELDS
        fields = len(frames.other_vertical if cut_off else frames.vertical) >= _FIELDS
        under += [rule for rule in frames.other_horizontal if rule.start > _LABEL * dark.shape[1]]
        found = bool(frames.all_horizontal() or frames.all_vertical())
        clean = without(dark, frames, darkness.least) if found else dark
        clean = without_cut_lines(clean, darkness.least)
        found = clean is not dark
        if found:
            darkness = replace(darkness, dark=Sheet.all_of(clean), faintest=_faintest(darkness, clean))
        boxes = boxes_of(darkness)
    ink = ink_of(darkness, ruled=not found, weakest=weakest_ink(darkness, boxes, found))
    pieces = find_pieces(ink.place, ink.rough, page=True)
    if found and known is None and not form.cells.found and long_lines(pieces.kept):
        # Digits on a line can hide it until the other lines are removed.
        return find_page(darkness, under)
    pieces = _without_dirt(pieces, form.cells)
    pieces = cut_at_rules(pieces, form.cells)
    height = median([piece.height for piece in pieces.kept] or [0])
    tables = with_room(tables_of(form.separate), height)
    return Page(ink, _lines(pieces, ink, form.cells, tables, under), form.cells, tables, fields)


def _faintest(darkness: Darkness, clean: Grey) -> int:
    """The least darkness of ink near printed lines; whatever is far lighter than the lines is noise."""
    dark = darkness.dark.whole
    erased = dark[(dark > darkness.least) & (clean <= darkness.least)]
    usual = float(np.median(erased)) if erased.size else 0.0
    return max(darkness.faintest, int(_LIGHTER * usual))


def _without_dirt(pieces: Pieces, cells: Cells) -> Pieces:
    """The pieces without traces of rules, which are in or near cells and too small for writing."""
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
    """The lines of writing, in tables and elsewhere; `under` are the writing lines of a form."""
    row_of = {cell: (table, row) for table in tables for row, some in enumerate(table.rows) for cell in some}
    free: list[Piece] = []
    filled: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces.kept:
        cell = cells.around(piece.box)
        place = row_of[cell] if cell in row_of else _row_beside(piece, tables)
        if place is None:
            free.append(piece)
        else:
            filled.setdefault((tables.index(place[0]), place[1]), []).append(piece)

    def parted(left: Piece, right: Piece) -> bool:
        return bool(row_of) and cells.around(left.box) is not cells.around(right.box)

    lines = [Line(on_lines(runs(line, pieces, ink.strength, parted), under)) for line in grouped(free)]
    heights = [[median(cell.height for cell in cells) for cells in table.rows] for table in tables]
    for (number, row), some in filled.items():
        # If a row is twice as high as the others, a rule within it was not found.
        high = heights[number][row] > _HIGH * float(np.median(heights[number]))
        boxes = digit_boxes(tables[number])
        for line in grouped(some) if high else [some]:
            found = runs(line, pieces, ink.strength, boxes.part if boxes else parted, boxes)
            of_heading = row == 0 and len(heights[number]) > 1
            lines.append(Line(in_cells(found, cells if of_heading else NO_CELLS), tables[number], row))
    return sorted((line for line in lines if line.runs), key=lambda line: line.middle)


def _row_beside(piece: Piece, tables: Sequence[Table]) -> tuple[Table, int] | None:
    """The first row of a table that a piece is next to, and its table; None if there is none."""
    for table in tables:
        for number, row in enumerate(table.rows):
            if _beside(piece, row):
                return table, number
    return None


def _beside(piece: Piece, row: Sequence[Cell]) -> bool:
    """Whether a piece is at the height of these cells, before the first, after the last, or among them."""
    x, y = (piece.box[0] + piece.box[2]) / 2, (piece.box[1] + piece.box[3]) / 2
    nearest = min(row, key=lambda cell: max(cell.box[0] - x, x - cell.box[2]))
    apart = max(nearest.box[0] - x, x - nearest.box[2])
    over = _OVER * nearest.height
    return apart < max(cell.width for cell in row) and nearest.box[1] - over <= y <= nearest.box[3] + over
