"""The cells of tables, boxes and combs, which are the areas enclosed by printed lines, in any perspective."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box
from digits.layout.frames.classification import Frames
from digits.layout.frames.combs import Comb

_CORNER = 0.04  # extension of the rules that closes corners, relative to their length
_MOST = 1000  # cells, above which the picture is a texture
_LONGEST = 1000  # greatest side of the label map, in pixels
NARROWEST = 8  # pixels: a narrower area is the space between double lines
_SOLID = 0.75  # least share of its smallest enclosing rectangle, upright or tilted, that a cell covers
_CUT_OFF = 1.3  # above this multiple of the usual size, an area at the picture's edge is a margin
_TOOTH = 2.6  # height of a comb's field, relative to the height of a tooth
_FIELD = 1.3  # least height of a comb's field, relative to its width, since teeth may be very short
_BELOW = 0.4  # height of the part of the field below the base, relative to the height of a tooth


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A cell: its label in the label map, and its box in pixels of the ink map."""

    label: int
    box: Box

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class Cells:
    """All cells, and the label map of the cells, which is `coarse` times smaller than the ink map."""

    labels: NDArray[np.int32]
    coarse: int
    found: tuple[Cell, ...]

    def at(self, x: float, y: float) -> Cell | None:
        """The cell at a point of the ink map; None if there is none."""
        row, column = int(y) // self.coarse, int(x) // self.coarse
        height, width = self.labels.shape
        if not (0 <= row < height and 0 <= column < width):
            return None
        label = int(self.labels[row, column])
        return self._by_label.get(label)

    def around(self, box: Box) -> Cell | None:
        """The cell at the middle of a box; None if there is none."""
        left, top, right, bottom = box
        return self.at((left + right) / 2, (top + bottom) / 2)

    @cached_property
    def _by_label(self) -> dict[int, Cell]:
        return {cell.label: cell for cell in self.found}


NO_CELLS = Cells(np.zeros((0, 0), np.int32), 1, ())
"""The cells of a picture without tables, boxes and combs."""


def find_cells(frames: Frames, shape: tuple[int, ...]) -> Cells:
    """The cells of these frames in an ink map of this shape (height, width)."""
    coarse = max(1, math.ceil(max(shape) / _LONGEST))
    height, width = (math.ceil(side / coarse) for side in shape)
    paper = np.ones((height, width), np.uint8)
    for rules, vertical in ((frames.horizontal, False), (frames.vertical, True)):
        for rule in rules:
            cv2.polylines(paper, [rule.path(vertical, max(6.0, _CORNER * rule.length), coarse)], False, 0, 1)
    count, found_labels, found_stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    labels, stats = np.asarray(found_labels, np.int32), np.asarray(found_stats, np.int32)
    if count > _MOST:
        return NO_CELLS
    found = [
        Cell(label, _scaled(stats[label], coarse, shape))
        for label in range(1, count)
        if min(stats[label, 2:4]) * coarse >= NARROWEST and _is_solid(labels, label, stats[label])
    ]
    found = _without_margins(found, shape)
    for comb in frames.combs:
        found = [cell for cell in found if not _spans(cell, comb)]
        found.extend(_comb_cells(comb, labels, coarse, shape))
    return Cells(labels, coarse, tuple(found))


def _scaled(stats: NDArray[np.int32], coarse: int, shape: tuple[int, ...]) -> Box:
    left, top, width, height = (int(side) * coarse for side in stats[:4])
    return (left, top, min(left + width, shape[1]), min(top + height, shape[0]))


def _is_solid(labels: NDArray[np.int32], label: int, stats: NDArray[np.int32]) -> bool:
    left, top, width, height, area = (int(value) for value in stats[:5])
    if area >= 0.9 * width * height:
        return True
    part = np.asarray(labels[top : top + height, left : left + width] == label, np.uint8)
    outlines, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(max(outlines, key=len))
    around = cv2.contourArea(hull)
    sides = cv2.minAreaRect(hull)[1]
    return area >= _SOLID * max(around, 1.0) and around >= _SOLID * sides[0] * sides[1]


def _without_margins(found: list[Cell], shape: tuple[int, ...]) -> list[Cell]:
    """The cells without the areas between a frame and the picture's edge."""
    inner = [cell for cell in found if not _at_edge(cell, shape)]
    if not inner:
        return []
    width, height = (
        float(np.median(sides)) for sides in zip(*((c.width, c.height) for c in inner), strict=True)
    )
    return [
        cell
        for cell in found
        if cell in inner or (cell.width <= _CUT_OFF * width and cell.height <= _CUT_OFF * height)
    ]


def _at_edge(cell: Cell, shape: tuple[int, ...]) -> bool:
    left, top, right, bottom = cell.box
    return left == 0 or top == 0 or right >= shape[1] or bottom >= shape[0]


def _spans(cell: Cell, comb: Comb) -> bool:
    """Whether a comb is in this cell, which then is not a cell for one number."""
    x, y = (comb.base.start + comb.base.end) / 2, float(comb.base.at(comb.base.start))
    return cell.box[0] < x < cell.box[2] and cell.box[1] < y <= cell.box[3] + 2


def _comb_cells(comb: Comb, labels: NDArray[np.int32], coarse: int, shape: tuple[int, ...]) -> Iterable[Cell]:
    """The fields between neighbouring teeth of a comb. They are drawn into the label map."""
    tall = float(np.median([tooth.length for tooth in comb.teeth]))
    number = int(labels.max())
    for left, right in zip(comb.teeth, comb.teeth[1:], strict=False):
        number += 1
        wide = float(right.at(right.end) - left.at(left.end))
        above, below = max(_TOOTH * tall, _FIELD * wide), _BELOW * tall
        corners = [
            (float(tooth.at(tooth.end - up)), tooth.end - up)
            for tooth, up in ((left, -below), (left, above), (right, above), (right, -below))
        ]
        points = np.array(corners)
        cv2.fillConvexPoly(labels, np.rint(points / coarse).astype(np.int32), number)
        low = np.clip(points.min(axis=0), 0, (shape[1], shape[0])).astype(int)
        high = np.clip(points.max(axis=0), 0, (shape[1], shape[0])).astype(int)
        yield Cell(number, (int(low[0]), int(low[1]), int(high[0]), int(high[1])))
