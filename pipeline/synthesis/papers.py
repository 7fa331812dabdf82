"""Papers filled in by hand (boxes, combs, tables, mark sheets, pages), as clean scans or as photos.

A paper's text has a space between two numbers of a line and a newline between lines. One row of boxes or
comb fields is one number. With at least two rows and two columns, each cell is a number of its own, and empty
cells are left out. Signs appear as written. A crossed out number is one `?`, which stands for a mark that is
not a digit. Each picture is written by one hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from PIL import Image

from pipeline.synthesis.boxes import boxes, cell, comb
from pipeline.synthesis.pages import amount, line, page, touching
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.printed import form
from pipeline.synthesis.sheets import Sheet
from pipeline.synthesis.tables import grid, sudoku, table
from pipeline.synthesis.writers import Writer

Kind = Literal[
    "boxes",
    "dashed boxes",
    "dotted boxes",
    "comb",
    "cell",
    "table",
    "grid",
    "sudoku",
    "page",
    "columns",
    "touching",
    "amount",
    "line",
    "form",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

Maker = Callable[[Writer, np.random.Generator], tuple[str, Sheet]]

_MAKERS: dict[Kind, Maker] = {
    "boxes": lambda writer, rng: boxes(writer, rng, ("solid", "solid", "double")),
    "dashed boxes": lambda writer, rng: boxes(writer, rng, ("dashed",)),
    "dotted boxes": lambda writer, rng: boxes(writer, rng, ("dotted",)),
    "comb": comb,
    "cell": cell,
    "table": table,
    "grid": grid,
    "sudoku": sudoku,
    "page": lambda writer, rng: page(writer, rng, columns=1),
    "columns": lambda writer, rng: page(writer, rng, columns=2),
    "touching": touching,
    "amount": amount,
    "line": line,
    "form": form,
}


def make(
    kind: Kind,
    writer: Writer,
    rng: np.random.Generator,
    *,
    photo: bool = False,
    large: bool = False,
    focus: bool = True,
) -> tuple[str, Image.Image]:
    """Return a paper's text and its RGB picture, which is a clean scan or a photo by a phone.

    With `large`, the photo has about five megapixels and the sheet is a small part of it. Without `focus`,
    the photo was taken from too close.
    """
    text, sheet = _MAKERS[kind](writer, rng)
    if rng.random() < 0.25 and sheet.edge != "cut":
        sheet = sheet.bent(0.012 * max(sheet.size) * rng.uniform(0.3, 1), rng)
    if photo:
        return text, photographed(sheet, rng, large=large, focus=focus)
    return text, Image.fromarray(sheet.coloured(rng))
