"""Quick checks of a picture: whether it may have printed lines, and how faint its ink may be."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.extraction import WEAKEST, Darkness
from digits.ink.ruled_lines import near_the_border

Boxes = NDArray[np.int32]

_MANY = 15  # least number of large marks on a page of many marks
_LARGE = 0.3  # least size of a large mark, relative to the largest
_LIGHT = 90  # least strength of a page's ink, of 255
_LIGHT_IN_SHADOW = 120  # the same in uneven light, unless lines were erased, whose remains may be as strong
_SMALL = 0.02  # below this share of the largest piece, a piece is a speck
_LONG = 1.4  # above this multiple of the usual size of all pieces, a piece may be a line
_WHOLE = 0.8  # above this share of the picture's side, a piece may be a line of the paper
_MARKS = 500  # greatest number of marks that are compared with each other
_CELL = 32  # shorter side of the smallest cell, in pixels
_STROKES = 2  # greatest number of strokes in one digit
_HOLES = 2  # greatest number of holes in a digit: a mark with more is a group of boxes
_LOOKED_AT = 3  # number of the largest marks that are examined
_RIM = 0.04  # width of a mark's rim, relative to its shorter side
_STRAIGHT = 0.85  # least share of a straight side that has ink in the rim
_SIDES = 3  # number of straight sides that no digit has


def boxes_of(darkness: Darkness) -> Boxes:
    """Left, top, width, height and area (n, 5) of all connected pieces of what is darker than paper."""
    mask = np.asarray(darkness.dark.part > darkness.least, np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    return np.asarray(stats[1:], np.int32)


def weakest_ink(darkness: Darkness, boxes: Boxes, lines_erased: bool) -> int:
    """The least strength of ink, of 255. It is lower on a page of many marks, some of which may be faint."""
    sizes = boxes[:, 2:4].max(axis=1)
    if np.count_nonzero(sizes > _LARGE * sizes.max(initial=0)) < _MANY:
        return WEAKEST
    if not darkness.uneven:
        return _LIGHT
    return WEAKEST if lines_erased else _LIGHT_IN_SHADOW


def may_be_printed(darkness: Darkness, boxes: Boxes) -> bool:
    """Whether the picture, on evenly lit paper, may have printed lines.

    It may if ink comes near its edges, if a mark is inside another or much longer than usual, or if one of
    the largest marks is a box. Otherwise it is a drawing of digits of similar size.
    """
    sizes = boxes[:, 2:4].max(axis=1)
    if not len(sizes):
        return False
    dark = darkness.dark
    mask = dark.with_part(np.asarray(dark.part > darkness.least, np.uint8))
    marks = boxes[sizes >= _SMALL * sizes.max()][:_MARKS]
    across, down = marks[np.argmax(marks[:, 2:4].max(axis=1)), 2:4].tolist()
    whole = across > _WHOLE * dark.width or down > _WHOLE * dark.height
    if (whole or len(marks) > _STROKES) and near_the_border(mask, _CELL):
        return True
    starts, ends = marks[:, :2], marks[:, :2] + marks[:, 2:4]
    within = (starts[:, None] > starts[None]).all(axis=2) & (ends[:, None] < ends[None]).all(axis=2)
    usual = np.sort(marks[:, 2:4].max(axis=1))[(len(marks) - 1) // 2]
    if within.any() or (len(marks) > _STROKES and max(across, down) > _LONG * usual):
        return True
    return any(_is_box(mask.part, mark) for mark in marks[np.argsort(-marks[:, 4])][:_LOOKED_AT])


def _is_box(mask: NDArray[np.uint8], mark: NDArray[np.int32]) -> bool:
    """Whether a mark has three straight sides, or more holes than a digit."""
    left, top, across, down = mark[:4].tolist()
    part = mask[top : top + down, left : left + across]
    rim = max(2, int(_RIM * min(across, down)))
    sides = (
        part[:rim].any(axis=0),
        part[-rim:].any(axis=0),
        part[:, :rim].any(axis=1),
        part[:, -rim:].any(axis=1),
    )
    if sum(float(side.mean()) > _STRAIGHT for side in sides) >= _SIDES:
        return True
    _, kinds = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return bool(np.count_nonzero(kinds[0, :, 3] >= 0) > _HOLES)
