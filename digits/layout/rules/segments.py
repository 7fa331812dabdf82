"""Finds straight edges and chains them. A printed line has two long edges next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box, Grey

Floats = NDArray[np.float64]

_AREA = 400_000  # pixels: a larger picture is searched at a smaller scale
_SCALE = 0.8  # scale of the detector for a small picture, as its authors recommend
_STEEPEST = 0.5  # greatest slope of a horizontal edge
_MOST = 1200  # greatest number of segments in each direction, the longest ones
_SEEN = 40  # level, of 255, given to the faintest ink for the detector, which sees nothing below 5
_FLOOR = 0.35  # below this share of the faintest ink, everything is noise
_ON_LINE = 1.2  # pixels at the detector's scale: distance of two segments of one edge from each other's line
_BENT = 0.03  # greatest bend of an edge on a curved page, relative to the distance between segments
_LEAN = 0.015  # additional tolerance at a segment's far end, relative to its length
_GAP = 1.3  # greatest gap between two segments, relative to the longer one
_OVERLAP = 4.0  # greatest overlap of two segments of one edge, in pixels
# Pixels around all ink. The part that is searched begins at a multiple of them, so that _SCALE maps its
# pixels as in the whole picture.
_ROOM = 20
_NEAR = 12.0  # pixels: a gap of this size between segments is always allowed


class Segments(NamedTuple):
    """Straight edges from `start` to `end` along their direction, at `first` and `last` across it, in pixels.

    `start` is before `end`. `side` is 1 if ink begins there (below a horizontal edge, right of a vertical
    one), and -1 if ink ends there. `pixel` is the side of a pixel at the detector's scale.
    """

    start: Floats
    end: Floats
    first: Floats
    last: Floats
    side: NDArray[np.int8]
    pixel: float

    @property
    def length(self) -> Floats:
        return self.end - self.start

    def of(self, which: NDArray[np.intp]) -> Segments:
        start, end, first, last, side, pixel = self
        return Segments(start[which], end[which], first[which], last[which], side[which], pixel)


def find_segments(dark: Grey, least: int, scale: float = 1.0) -> tuple[Segments, Segments]:
    """The horizontal and the vertical straight edges in a picture of darkness (height, width).

    `least` is the greatest darkness of paper. Edges are searched at this scale or at a smaller one.

    The line segment detector of Grompone von Gioi et al. (2010) is used. It looks at the direction of
    gradients and not at their size, so it finds faint edges next to strong ones.
    """
    scale = min(scale, _SCALE, (_AREA / dark.size) ** 0.5)
    strong = np.clip((np.arange(256) - _FLOOR * least) * (_SEEN / least), 0, 255).astype(np.uint8)
    detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD, scale=scale)
    seen = cv2.LUT(dark, strong)
    left, top, right, bottom = (
        _around(cv2.boundingRect(seen)) if scale == _SCALE else (0, 0, *dark.shape[::-1])
    )
    found: object = detector.detect(seen[top:bottom, left:right])[0]  # it may be None, which the stub denies
    if found is None:
        none = np.zeros(0)
        return (Segments(none, none, none, none, np.zeros(0, np.int8), 1.0),) * 2
    x, y, to_x, to_y = (np.asarray(found, np.float64)[:, 0] + (left, top, left, top)).T
    horizontal = np.abs(to_y - y) <= _STEEPEST * np.abs(to_x - x)
    vertical = np.abs(to_x - x) <= _STEEPEST * np.abs(to_y - y)
    return (
        _directed(
            x[horizontal], to_x[horizontal], y[horizontal], to_y[horizontal], ink_after=-1, pixel=1 / scale
        ),
        _directed(y[vertical], to_y[vertical], x[vertical], to_x[vertical], ink_after=1, pixel=1 / scale),
    )


def _around(box: Sequence[int]) -> Box:
    """Left, top, right and bottom of all ink and some space, since the detector also takes time for paper."""
    left, top, width, height = box
    return (
        max(0, left - _ROOM) // _ROOM * _ROOM,
        max(0, top - _ROOM) // _ROOM * _ROOM,
        left + width + _ROOM,
        top + height + _ROOM,
    )


def _directed(
    start: Floats, end: Floats, first: Floats, last: Floats, ink_after: int, pixel: float
) -> Segments:
    """Segments by length. The detector directs them so that the dark side is always on the same side."""
    order = np.argsort(-np.abs(end - start))[:_MOST]
    start, end, first, last = start[order], end[order], first[order], last[order]
    back = end < start
    side = np.where(back, -ink_after, ink_after).astype(np.int8)
    return Segments(
        np.where(back, end, start),
        np.where(back, start, end),
        np.where(back, last, first),
        np.where(back, first, last),
        side,
        pixel,
    )


def chained(segments: Segments, most: float = np.inf) -> list[list[int]]:
    """The indices of segments that follow each other on one edge, from start to end, one list for each edge.

    The gap between two of them is at most `most` pixels.
    """
    following = _following(segments, most)
    behind = set(following.values())
    chains = []
    for number in range(len(segments.start)):
        if number in behind:
            continue
        chain = [number]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    return chains


def _following(segments: Segments, widest: float) -> dict[int, int]:
    """The segment that follows each segment: two segments that are nearest to each other."""
    start, end, first, last, side, pixel = segments
    length = segments.length
    slope = (last - first) / np.maximum(length, 1.0)
    gap = start[None] - end[:, None]
    most = np.minimum(np.maximum(_NEAR, _GAP * np.maximum(length[:, None], length[None])), widest)
    fits = (gap >= -_OVERLAP) & (gap <= most) & (side[:, None] == side[None]) & (start[None] > start[:, None])
    before, after = np.nonzero(fits)
    apart = gap[before, after]
    # Both ends of the shorter segment should be on the line of the longer one.
    longer = length[before] >= length[after]
    base, other = np.where(longer, before, after), np.where(longer, after, before)
    ahead = base == before
    near_end = np.where(ahead, start[other], end[other]), np.where(ahead, first[other], last[other])
    far_end = np.where(ahead, end[other], start[other]), np.where(ahead, last[other], first[other])
    off = [
        np.abs(first[base] + slope[base] * (place - start[base]) - across)
        for place, across in (near_end, far_end)
    ]
    room = _ON_LINE * pixel + _BENT * np.maximum(apart, 0.0)
    fit = (off[0] <= room) & (off[1] <= room + _LEAN * length[other])
    before, after, cost = before[fit], after[fit], (np.maximum(apart, 0.0) + 4 * off[0])[fit]
    order = np.argsort(cost, kind="stable")
    following: dict[int, int] = {}
    taken: set[int] = set()
    for one, two in zip(before[order].tolist(), after[order].tolist(), strict=True):
        if one not in following and two not in taken:
            following[one] = two
            taken.add(two)
    return following
