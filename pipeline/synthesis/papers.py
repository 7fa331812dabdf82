"""Papers that people fill in by hand: boxes, combs, tables, mark sheets, pages; plain, or photographed.

What a paper says (its text): a space between two numbers of a line, a newline between lines. One row of
boxes or comb fields is one number; where there are two rows and two columns or more, each cell holds a
number of its own, and an empty one nothing. Signs stand as written. A number that was crossed out is one
`?`: a mark that is no digit. Each picture is written by one hand.
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
    """What stands on a paper, and its picture in RGB: a clean scan, or a phone's photo of the sheet.

    `large`: a photo of five megapixels or so in which the sheet is a small part. Without `focus`: a photo
    from too near.
    """
    text, sheet = _MAKERS[kind](writer, rng)
    if rng.random() < 0.25 and sheet.edge != "cut":
        sheet = sheet.bent(0.012 * max(sheet.size) * rng.uniform(0.3, 1), rng)
    if photo:
        return text, photographed(sheet, rng, large=large, focus=focus)
    return text, Image.fromarray(sheet.coloured(rng))
