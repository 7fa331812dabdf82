"""A grey picture, held as the part that was written on and the one level of all paper around it.

A digital drawing is mostly paper of exactly one level. Of such paper all is known before it is looked at
(no noise, no shade, no ink), so that the work is confined to the part that differs; a photo differs
everywhere, and its part is the whole picture.
"""

# Why it is so: docs/decisions/plain-paper.md
from __future__ import annotations

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
_RING = 2  # pixels of plain paper kept around the part, so that its own edge is no edge of the picture


@dataclass(frozen=True)
class Sheet:
    """A picture of `width` x `height`: `grey` from `left`, `top` on, and the level `around` everywhere else.

    All is seen through `table`: what stands for each of the 256 levels of `plain`, which is the same sheet
    without a table (both None: the level itself).
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
        """A picture whose part is all of it."""
        return cls(grey, 0, 0, grey.shape[1], grey.shape[0], 0)

    @cached_property
    def part(self) -> Grey:
        """The part that is not all margin."""
        if self.table is None:
            return self.grey
        if self.table.tobytes() == NEGATIVE.tobytes():  # black on white: many times faster than a look-up
            return np.asarray(cv2.bitwise_not(self.grey), np.uint8)
        return np.asarray(cv2.LUT(self.grey, self.table), np.uint8)

    @property
    def margin(self) -> int:
        """The level outside the part."""
        return self.around if self.table is None else int(self.table[self.around])

    @property
    def outside(self) -> int:
        """How many pixels lie outside the part."""
        return self.width * self.height - self.grey.size

    def holding(self, part: Grey, margin: int = 0) -> Sheet:
        """Another layer of the same sheet."""
        return Sheet(part, self.left, self.top, self.width, self.height, margin)

    def mapped(self, table: Grey) -> Sheet:
        """The sheet with each level replaced by what stands for it in a table of 256.

        Nothing is worked out before it is asked for, and nothing twice where tables follow each other.
        """
        both = table if self.table is None else table[self.table]
        plain = self.plain or self
        return Sheet(self.grey, self.left, self.top, self.width, self.height, self.around, both, plain)

    def within(self, box: Box) -> Grey:
        """The picture in a box, which may reach beyond the part."""
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
        """How many pixels there are of each of the 256 levels."""
        if self.table is not None and self.plain is not None:
            return np.asarray(np.bincount(self.table, self.plain.counts, 256), np.float64)
        # Equal neighbours are slow to count: the paper is what remains.
        different = (self.grey != self.around).view(np.uint8)
        counts = histogram(self.grey, different)
        counts[self.around] += self.width * self.height - counts.sum()
        return counts

    @cached_property
    def split(self) -> int:
        """Otsu's level (1979), which parts dark from light: the last that is dark."""
        return int(cv2.threshold(self.whole, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])


def written(pixels: NDArray[np.uint8]) -> Box:
    """Where a picture (height, width[, channels]) differs from its first pixel, and a ring around it.

    It begins and ends where blocks of the small copy do.
    """
    height, width = pixels.shape[:2]
    if pixels.shape[2:] == (3,) and np.ptp(pixels[0, 0]):
        return (0, 0, width, height)  # coloured paper without opacity has no one number to look for
    flat = pixels.view(np.int32) if pixels.shape[2:] == (4,) else pixels
    flat = flat.reshape(height, -1)
    left, top, across, down = cv2.boundingRect((flat != flat[0, 0]).view(np.uint8))
    each = flat.shape[1] // width  # red, green and blue stand side by side
    times = _times(height, width)
    across_ends = _blocks(left // each, -(-(left + across) // each), times, width)
    down_ends = _blocks(top, top + down, times, height)
    return (across_ends[0], down_ends[0], across_ends[1], down_ends[1])


def _blocks(start: int, end: int, times: int, side: int) -> tuple[int, int]:
    """A stretch of a side with its ring, grown to whole blocks of the small copy, one at least."""
    first = min(max(0, start - _RING) // times, side // times - 1) * times
    return first, min(-(-(end + _RING) // times) * times, side)


def small_copy(sheet: Sheet) -> Sheet:
    """The picture with a longer side of at most 128 pixels, averaged."""
    times = _times(sheet.height, sheet.width)
    if times == 1:
        return sheet
    height, width = (side // times for side in sheet.part.shape)  # whole times: several times faster
    blocks = sheet.part[: height * times, : width * times]
    part = np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    left, top = sheet.left // times, sheet.top // times
    return Sheet(part, left, top, sheet.width // times, sheet.height // times, sheet.margin)


def _times(height: int, width: int) -> int:
    """How many pixels of the picture make one of the small copy, each way."""
    return min(-(-max(height, width) // _SMALL), height, width)


def turned(grey: Grey) -> Grey:
    """The picture with rows and columns exchanged; ten times faster than numpy's copy."""
    return np.asarray(cv2.transpose(grey), np.uint8)


def histogram(grey: Grey, mask: Grey | None = None) -> NDArray[np.float64]:
    """How many pixels there are of each of the 256 levels; many times faster than numpy's `bincount`."""
    return np.asarray(cv2.calcHist([grey], [0], mask, [256], [0, 256]), np.float64).ravel()
