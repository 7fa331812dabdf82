"""Finds a sheet of paper on a darker desk in a photo, and covers the desk with the paper's lightness."""

# See docs/decisions/desk.md.
from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box, Grey, Sheet

_PAPER = 0.7  # quantile of all levels of a picture that is the paper's level
_LIGHTER = 20  # least difference between paper and desk, of 255
_LEAST = 0.08  # least share of the picture that a sheet covers
_BRIGHT = 0.6  # least share of the sheet's area that is light, which is paper and not ink
_CORNERS = 6  # most corners: a rectangle has more than four if the picture's edges cut some of them off
_BENT = 0.02  # greatest deviation of a sheet's sides from straight lines, relative to its outline's length
_FILLS = 0.88  # least share of the convex hull's area that the sheet and its polygon have
_OUTSIDE = 0.6  # least share of the picture's border on the desk; a shadow covers less of the border
_DESK = 0.9  # quantile of the border's levels that is nearly the desk's highest level
_RIM = 0.012  # width of the sheet's rim that is covered with the desk, relative to the longer side
_DARK = 0.45  # below this share of the paper's level, the surroundings are a desk and not a shadow
_ROOM = 0.01  # width of the desk around the sheet that is not cropped, relative to the picture's sides
_SMOOTH = 5  # pixels: side of the windows in which strokes and specks are removed
_SHARP = 3  # pixels on both sides of a sheet's edge, within which the level falls from paper to desk
_STEP = 0.4  # least step there, relative to the difference between paper and desk
_SHADOW = 0.25  # share of the edge that may be in a shadow, or be the soft edge of a shadow


class Paper(NamedTuple):
    """A sheet's corners (n, 2), x and y, as shares of the picture's width and height."""

    corners: NDArray[np.float64]

    def box(self, width: int, height: int) -> Box:
        """The box around the sheet in a picture of this size."""
        low, high = self.corners.min(axis=0), self.corners.max(axis=0)
        left, top = (np.floor(np.clip(low - _ROOM, 0, 1) * (width, height))).astype(int).tolist()
        right, bottom = (np.ceil(np.clip(high + _ROOM, 0, 1) * (width, height))).astype(int).tolist()
        return (left, top, right, bottom)

    def within(self, box: Box, width: int, height: int) -> Paper:
        """The same sheet, relative to this box of a picture of this size."""
        left, top, right, bottom = box
        corners = self.corners * (width, height) - (left, top)
        return Paper(corners / (right - left, bottom - top))


def find_paper(small: Sheet) -> Paper | None:
    """The sheet of paper in a small copy of a picture; None if there is no sheet on a darker desk.

    A sheet is one light area with straight sides and at most six corners, which is mostly light inside.
    """
    grey = small.whole
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    reached = small.counts.cumsum()
    paper = int(np.searchsorted(reached, _PAPER * reached[-1]))
    lighter = paper - float(np.median(border))
    if lighter < _LIGHTER:
        return None
    smooth = np.asarray(cv2.medianBlur(grey, _SMOOTH), np.uint8)
    # Otsu's level separates the half of a sheet that is in shadow. A level just above the desk's does not.
    above_desk = float(np.quantile(border, _DESK)) + _LIGHTER / 2
    # A light area that covers a corner of the picture may also be lit paper next to a shadow, unless the dark
    # area is too dark for a shadow.
    in_view = 1 if float(np.median(border)) < _DARK * paper else 0
    height, width = grey.shape
    for level in (above_desk, small.split):
        light = np.asarray(cv2.threshold(smooth, level, 1, cv2.THRESH_BINARY)[1], np.uint8)
        corners = _sheet_in(light, in_view)
        if corners is not None and _has_edges(smooth, corners, _STEP * lighter):
            return Paper((corners + 0.5) / (width, height))
    return None


def _sheet_in(light: Grey, in_view: int) -> NDArray[np.intp] | None:
    """The corners (n, 2) of the largest area of a mask (height, width; 1 is light), if it is a sheet.

    A sheet covers at most `in_view` corners of the picture.
    """
    light = np.asarray(
        cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((_SMOOTH, _SMOOTH), np.uint8)), np.uint8
    )
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area = cv2.contourArea(hull)
    polygon = cv2.approxPolyDP(hull, _BENT * cv2.arcLength(hull, True), True)
    inside = np.zeros_like(light)
    cv2.fillConvexPoly(inside, polygon, 1)
    bright = cv2.countNonZero(cv2.bitwise_and(inside, light)) / max(1, cv2.countNonZero(inside))
    rim = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    plain = (
        len(polygon) <= _CORNERS
        and area >= _LEAST * light.size
        and min(cv2.contourArea(polygon), cv2.contourArea(outline)) >= _FILLS * area
        and bright >= _BRIGHT
        and rim.mean() <= 1 - _OUTSIDE
        and int(inside[[0, 0, -1, -1], [0, -1, 0, -1]].sum()) <= in_view
    )
    return np.asarray(polygon[:, 0], np.intp) if plain else None


def _has_edges(grey: Grey, corners: NDArray[np.intp], step: float) -> bool:
    """Whether the level falls abruptly by a `step` at the edges of the sheet with these corners (n, 2).

    At the edge of a shadow, it falls over a greater distance.
    """
    edge = np.zeros_like(grey)
    cv2.polylines(edge, [corners.astype(np.int32)], True, 1)
    edge[[0, -1]] = 0
    edge[:, [0, -1]] = 0
    wide = np.ones((2 * _SHARP + 1, 2 * _SHARP + 1), np.uint8)
    steps = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, wide), np.uint8)[edge > 0]
    return bool(steps.size) and float(np.quantile(steps, _SHADOW)) >= step


def on_paper(sheet: Sheet, paper: Paper) -> Sheet:
    """The picture with the desk covered: each of its pixels gets the level of the nearest pixel of paper."""
    grey = sheet.whole
    height, width = grey.shape
    corners = np.rint(paper.corners * (width, height)).astype(np.int32)
    desk = np.ones_like(grey)
    cv2.fillConvexPoly(desk, corners, 0)
    rim = max(3, int(_RIM * max(height, width)))
    wide = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
    desk = np.asarray(cv2.dilate(desk, wide, borderValue=0), np.uint8)
    if not (desk == 0).any():
        return sheet
    _, labels = cv2.distanceTransformWithLabels(desk, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    lightest = cv2.dilate(np.where(desk, 0, grey).astype(np.uint8), np.ones((rim, rim), np.uint8))
    level_of = np.zeros(int(labels.max()) + 1, np.uint8)
    level_of[labels[desk == 0]] = lightest[desk == 0]
    return Sheet.all_of(np.where(desk, level_of[labels], grey).astype(np.uint8))
