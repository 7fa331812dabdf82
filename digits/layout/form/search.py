"""The printed form on a page: its lines, and the cells that they enclose, table by table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain

import numpy as np

from digits.ink.sheet import Grey
from digits.layout.form.apart import separate_tables
from digits.layout.form.cells import NO_CELLS, Cell, Cells, find_cells
from digits.layout.form.gaps import without_gaps
from digits.layout.frames.classification import Frames
from digits.layout.frames.search import find_frames


@dataclass(frozen=True, slots=True)
class Form:
    """The printed lines of a page and its cells; `separate` are the cells of each separate table.

    The last group are cells outside these tables.
    """

    frames: Frames = field(default_factory=Frames)
    cells: Cells = NO_CELLS
    separate: tuple[tuple[Cell, ...], ...] = ()


def find_form(dark: Grey, least: int) -> Form:
    """The form in a picture of darkness (height, width); `least` is the greatest darkness of paper."""
    parts = separate_tables(dark, least)
    frames = [find_frames(part, least) for part in parts]
    cells = [_cells(some, part) for some, part in zip(frames, parts, strict=True)]
    if len(parts) == 1:
        return Form(frames[0], cells[0], (cells[0].found,))
    joined = Frames(*(list(chain(*(getattr(some, part.name) for some in frames))) for part in fields(Frames)))
    return Form(joined, *_joined(cells))


def _cells(frames: Frames, dark: Grey) -> Cells:
    cells = find_cells(frames, dark.shape)
    # A comb's fields are open at the top, so they would be taken for gaps.
    return cells if frames.combs else without_gaps(cells, dark)


def _joined(parts: Sequence[Cells]) -> tuple[Cells, tuple[tuple[Cell, ...], ...]]:
    """The cells of several parts of one picture in one label map, and the cells of each part."""
    parts = [part for part in parts if part.found]
    if not parts:
        return NO_CELLS, ()
    labels, apart, last = np.zeros_like(parts[0].labels), list[tuple[Cell, ...]](), 0
    for part in parts:
        known = np.isin(part.labels, [cell.label for cell in part.found])
        labels[known] = part.labels[known] + last
        apart.append(tuple(replace(cell, label=cell.label + last) for cell in part.found))
        last = int(labels.max())
    return Cells(labels, parts[0].coarse, tuple(chain(*apart))), tuple(apart)
