"""From ink to the boxes of single digits, in reading order."""

from __future__ import annotations

import numpy as np

from digits.field import INK, InkMap

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom exclusive."""


def boxes(ink: InkMap) -> list[Box]:
    """The box of all ink, as one digit; none where there is no ink."""
    rows, columns = (np.flatnonzero((ink > INK).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return []
    return [(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)]
