"""Removes gaps between separate boxes or tables, which look like cells, but have two sides without a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.form.cells import Cell, Cells

_ALIKE = (0.9, 1.4)  # sizes of cells, relative to the usual width or height: gaps are smaller or larger
_OUTSIDE = 8  # pixels outside a cell's edge, within which the line on that side is
_USUAL = 0.75  # quantile along sides that is the lines' darkness, since half of a dashed line is blank
_DARK = 0.4  # below this share of that darkness, a pixel is paper
_BARE = 0.3  # share of a side with ink, below which it has no line; a dashed line has more
_MIDDLE = 0.6  # middle part of a side, without corners, relative to its length


def without_gaps(cells: Cells, dark: Grey) -> Cells:
    """The cells without gaps.

    A gap has an unusual width and no lines above and below, or an unusual height and no lines left and right.
    `dark` is the darkness of the page with its printed lines.
    """
    if len(cells.found) < 3:
        return cells
    width, height = (
        float(np.median(sides))
        for sides in zip(*((cell.width, cell.height) for cell in cells.found), strict=True)
    )
    odd_width = [cell for cell in cells.found if not _ALIKE[0] <= cell.width / width <= _ALIKE[1]]
    odd_height = [cell for cell in cells.found if not _ALIKE[0] <= cell.height / height <= _ALIKE[1]]
    if not odd_width and not odd_height:
        return cells
    ends = {cell: _ends(cell, cells, dark, horizontal=True) for cell in odd_width}
    sides = {cell: _ends(cell, cells, dark, horizontal=False) for cell in odd_height}
    closing = [
        _ends(cell, cells, dark, horizontal=not horizontal)
        for some, horizontal in ((odd_width, True), (odd_height, False))
        for cell in some
    ]
    level = _DARK * float(np.quantile(np.concatenate(closing), _USUAL))
    gaps = {cell for found in (ends, sides) for cell, own in found.items() if (own >= level).mean() < _BARE}
    return replace(cells, found=tuple(cell for cell in cells.found if cell not in gaps))


def _ends(cell: Cell, cells: Cells, dark: Grey, horizontal: bool) -> NDArray[np.uint8]:
    """The darkest pixels above and below a cell (`horizontal`), or left and right of it, along its sides."""
    n = cells.coarse
    left, top, right, bottom = (side // n for side in cell.box)
    inside = cells.labels[top : bottom + 1, left : right + 1] == cell.label
    if horizontal:
        inside = inside.T
    dark, first = (dark.T, (left, top)) if horizontal else (dark, (top, left))
    margin = round((1 - _MIDDLE) / 2 * len(inside))
    inside = inside[margin : len(inside) - margin]
    along = (first[0] + margin + np.arange(len(inside))) * n
    filled = inside.any(axis=1)
    inside, along = inside[filled], along[filled]
    begin = (first[1] + inside.argmax(axis=1)) * n
    end = (first[1] + inside.shape[1] - inside[:, ::-1].argmax(axis=1)) * n
    beyond = np.arange(-1, _OUTSIDE)
    height, width = dark.shape
    rows = np.clip(along, 0, height - 1)[:, None]
    before, after = (
        np.clip(places, 0, width - 1) for places in (begin[:, None] - 1 - beyond, end[:, None] + beyond)
    )
    return np.concatenate([dark[rows, before].max(axis=1), dark[rows, after].max(axis=1)])
