"""Separates the tables on a page, because the lines of one table say nothing about those of another."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.form.cells import NARROWEST
from digits.layout.rules.rule import Mask

_GAPS = np.ones((3, 3), np.uint8)  # pixels: gaps of this size in printed lines of a photo are closed
_LEAST = 0.05  # least length of both sides of a table, relative to the picture's longer side
_CELLS = 4  # least number of cells, for two rows and two columns
_SOLID = 0.6  # least share of its smallest enclosing rectangle that a cell covers, even with ink on its rules
_AROUND = 8  # pixels around a table that belong to it, since a rule is compared with the paper next to it

Outline = NDArray[np.int32]
"""Points (n, 1, 2), x and y."""


def separate_tables(dark: Grey, least: int) -> list[Grey]:
    """The darkness (height, width) of each table, with paper for everything else, and last that of the rest.

    If there are fewer than two tables of connected rules, or if two overlap, the darkness of the whole
    picture is the only one. `least` is the greatest darkness of paper.
    """
    mask = np.asarray(dark > least, np.uint8)
    outlines = _outlines(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _GAPS), np.uint8))
    if len(outlines) < 2 or any(_overlap(*two) for two in combinations(outlines, 2)):
        return [dark]
    numbers = range(1, len(outlines) + 1)
    owner = np.zeros(dark.shape, np.int32)
    for number, outline in zip(numbers, outlines, strict=True):
        cv2.polylines(owner, [outline], True, number, 2 * _AROUND)
    for number, outline in zip(numbers, outlines, strict=True):  # the whole inside belongs to the table
        cv2.fillPoly(owner, [outline], number)
    return [np.where(owner == number, dark, np.uint8(0)) for number in (*numbers, 0)]


def _outlines(mask: Mask) -> list[Outline]:
    """The convex outline of each connected piece of ink that has rows and columns of cells."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = _LEAST * max(mask.shape)
    found = []
    for label in range(1, count):
        left, top, width, height = stats[label, :4].tolist()
        if min(width, height) < least:
            continue
        part = np.asarray(labels[top : top + height, left : left + width] == label, np.uint8)
        lines, kinds = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
        outer = kinds[0, :, 3] < 0
        contours = [np.asarray(line, np.int32) for line in lines]
        holes = [contour for contour, outside in zip(contours, outer, strict=True) if not outside]
        if _are_rows_and_columns([hole for hole in holes if _is_cell(hole)]):
            found.append(np.asarray(cv2.convexHull(contours[int(outer.argmax())]), np.int32))
    return found


def _is_cell(hole: Outline) -> bool:
    sides = cv2.minAreaRect(hole)[1]
    return min(sides) >= NARROWEST and cv2.contourArea(hole) >= _SOLID * sides[0] * sides[1]


def _are_rows_and_columns(cells: list[Outline]) -> bool:
    """Whether some of these cells are next to each other, and some below each other."""
    if len(cells) < _CELLS:
        return False
    boxes = np.array([cv2.boundingRect(cell) for cell in cells], float)
    middles, sides = boxes[:, :2] + boxes[:, 2:] / 2, np.median(boxes[:, 2:], axis=0)
    return bool((np.ptp(middles, axis=0) >= sides).all())


def _overlap(first: Outline, second: Outline) -> bool:
    shared, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return shared > 0
