"""A grey picture, stored as its written part and the single level of all the paper around it.

A digital drawing is mostly paper of exactly one level, without noise, shadows or ink. Therefore only the part
that differs from this level needs to be processed. In a photo, that part is the whole picture.
"""

# See docs/decisions/plain-paper.md.
from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom exclusive."""

_SMALL = 128  # pixels, the longer side of the copy on which polarity and light are judged
NEGATIVE = np.arange(255, -1, -1).astype(np.uint8)
"""The table that inverts every level."""
_NEGATIVE_BYTES = NEGATIVE.tobytes()
_RING = 2  # pixels of paper around the part, so that ink does not touch the part's edge


@dataclass(frozen=True)
class Sheet:
    """A picture of `width` x `height` pixels: `grey` from `left`, `top` on, and the level `around` elsewhere.

    If there is a `table` (256,), its entries replace the levels of `grey` and `around`. `plain` is then the
    same sheet without the table.
    """

    grey: Grey
    left: int
    top: int
    width: int
    height: int
    around: int
    table: Grey | None = None
    plain: Sheet | None = None

    @classmethod
    def all_of(cls, grey: Grey) -> Sheet:
        """A picture whose written part is the whole picture."""
        return cls(grey, 0, 0, grey.shape[1], grey.shape[0], 0)

    @cached_property
    def part(self) -> Grey:
        """The written part."""
        if self.table is None:
            return self.grey
        if _is_negative(self.table):  # for black on white; many times faster than a look-up
            return np.asarray(cv2.bitwise_not(self.grey), np.uint8)
        return np.asarray(cv2.LUT(self.grey, self.table), np.uint8)

    @property
    def margin(self) -> int:
        """The level outside the written part."""
        return self.around if self.table is None else int(self.table[self.around])

    @property
    def outside(self) -> int:
        """The number of pixels outside the written part."""
        return self.width * self.height - self.grey.size

    def with_part(self, part: Grey, margin: int = 0) -> Sheet:
        """A sheet with another written part at the same place, and with this level around it."""
        return Sheet(part, self.left, self.top, self.width, self.height, margin)

    def mapped(self, table: Grey) -> Sheet:
        """The sheet with each level replaced by its entry in a table (256,).

        The pixels are computed only when they are used, and only once for several tables in succession.
        """
        both = table if self.table is None else table[self.table]
        plain = self.plain or self
        return Sheet(self.grey, self.left, self.top, self.width, self.height, self.around, both, plain)

    def within(self, box: Box) -> Grey:
        """The picture in a box, which may extend beyond the written part."""
        left, top, right, bottom = box
        x, y = left - self.left, top - self.top
        height, width = self.grey.shape
        if min(x, y) < 0 or x + right - left > width or y + bottom - top > height:
            return self.whole[top:bottom, left:right]
        return self.part[y : y + bottom - top, x : x + right - left]

    @cached_property
    def whole(self) -> Grey:
        """The picture as one array."""
        if not self.outside:
            return self.part
        grey = np.full((self.height, self.width), self.margin, np.uint8)
        height, width = self.part.shape
        grey[self.top : self.top + height, self.left : self.left + width] = self.part
        return grey

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """The histogram (256,) of the whole picture."""
        if self.table is not None and self.plain is not None:
            return np.asarray(np.bincount(self.table, self.plain.counts, 256), np.float64)
        # Equal neighbours are slow to count, so the paper's pixels are computed as the rest.
        different = (self.grey != self.around).view(np.uint8)
        counts = histogram(self.grey, different)
        counts[self.around] += self.width * self.height - counts.sum()
        return counts

    @cached_property
    def split(self) -> int:
        """Otsu's threshold (1979): the highest level that is dark and not light."""
        return int(cv2.threshold(self.whole, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])


def _is_negative(table: Grey) -> bool:
    """Whether a table is `NEGATIVE`. For short arrays, comparing bytes is faster than `np.array_equal`."""
    return table.tobytes() == _NEGATIVE_BYTES


def written_box(pixels: NDArray[np.uint8]) -> Box:
    """The box in which a picture (height, width[, channels]) differs from its first pixel, with a ring.

    The box is extended to whole blocks of the small copy.
    """
    height, width = pixels.shape[:2]
    if pixels.shape[2:] == (3,) and np.ptp(pixels[0, 0]):
        return (0, 0, width, height)  # a pixel of coloured paper in RGB is not one integer to compare with
    flat = pixels.view(np.int32) if pixels.shape[2:] == (4,) else pixels
    flat = flat.reshape(height, -1)
    left, top, across, down = cv2.boundingRect((flat != flat[0, 0]).view(np.uint8))
    each = flat.shape[1] // width  # columns for each pixel: three for red, green and blue
    times = _shrink_factor(height, width)
    across_ends = _blocks(left // each, math.ceil((left + across) / each), times, width)
    down_ends = _blocks(top, top + down, times, height)
    return (across_ends[0], down_ends[0], across_ends[1], down_ends[1])


def _blocks(start: int, end: int, times: int, side: int) -> tuple[int, int]:
    """A range of a side with its ring, extended to whole blocks of the small copy, at least one."""
    first = min(max(0, start - _RING) // times, side // times - 1) * times
    return first, min(math.ceil((end + _RING) / times) * times, side)


def small_copy(sheet: Sheet) -> Sheet:
    """The picture averaged to a longer side of at most 128 pixels."""
    times = _shrink_factor(sheet.height, sheet.width)
    if times == 1:
        return sheet
    height, width = (side // times for side in sheet.part.shape)  # an integer factor is several times faster
    blocks = sheet.part[: height * times, : width * times]
    part = np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    left, top = sheet.left // times, sheet.top // times
    return Sheet(part, left, top, sheet.width // times, sheet.height // times, sheet.margin)


def _shrink_factor(height: int, width: int) -> int:
    """The number of pixels of the picture for each pixel of the small copy, in each direction."""
    return min(math.ceil(max(height, width) / _SMALL), height, width)


def transposed(grey: Grey) -> Grey:
    """The picture with rows and columns exchanged, ten times faster than a transposed copy by NumPy."""
    return np.asarray(cv2.transpose(grey), np.uint8)


def histogram(grey: Grey, mask: Grey | None = None) -> NDArray[np.float64]:
    """The number of pixels of each of the 256 levels, many times faster than NumPy's `bincount`."""
    return np.asarray(cv2.calcHist([grey], [0], mask, [256], [0, 256]), np.float64).ravel()
