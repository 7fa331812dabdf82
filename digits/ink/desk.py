"""The desk around a sheet of paper in a photo: found, and covered with the paper's own light."""

# Why it is so: docs/decisions/desk.md
from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Box, Grey, Sheet

_PAPER = 0.7  # quantile of all levels of a picture: a sheet is lighter than its desk,
_LIGHTER = 20  # of 255, by so much at least
_LEAST = 0.08  # of the picture that a sheet covers
_BRIGHT = 0.6  # of the sheet's area that is paper, and not ink
_CORNERS = 6  # at most: a rectangle of which the picture's edges cut some corners off
_BENT = 0.02  # of its outline's length: how far a sheet's sides stray from straight ones
_FILLS = 0.88  # of the area within a band around the sheet that is the sheet, and its polygon's
_OUTSIDE = 0.6  # of the picture's border that lies on the desk: the edge of a shadow parts it in two
_DESK = 0.9  # quantile of the border's levels: the desk is hardly lighter
_RIM = 0.012  # of the longer side: what lies so near to the sheet's edge goes with the desk
_DARK = 0.45  # of the sheet's light: a desk may be so dark, a shadow seldom is
_ROOM = 0.01  # of the picture's sides around the sheet that stays in view
_SMOOTH = 5  # pixels
_SHARP = 3  # pixels to both sides of a sheet's edge: between them light falls from paper's to desk's,
_STEP = 0.4  # of how much darker the desk is, by so much at least
_SHADOW = 0.25  # of the edge may lie in shadow, or be the soft edge of one


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
        """The same sheet in this box of a picture of this size."""
        left, top, right, bottom = box
        corners = self.corners * (width, height) - (left, top)
        return Paper(corners / (right - left, bottom - top))


def find_paper(small: Sheet) -> Paper | None:
    """The sheet of paper in a small copy of a picture, if it lies on a darker desk.

    A sheet is one light area with straight sides and at most six corners, mostly light within.
    """
    grey = small.whole
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    reached = small.counts.cumsum()
    paper = int(np.searchsorted(reached, _PAPER * reached[-1]))
    lighter = paper - float(np.median(border))
    if lighter < _LIGHTER:
        return None
    smooth = np.asarray(cv2.medianBlur(grey, _SMOOTH), np.uint8)
    # Otsu's level parts a sheet in half shadow from its light half; just above the desk's it is whole.
    above_desk = float(np.quantile(border, _DESK)) + _LIGHTER / 2
    # Where the sheet covers a corner of the picture it may be what a shadow leaves, if that is no darker.
    in_view = 1 if float(np.median(border)) < _DARK * paper else 0
    found = [
        _sheet_in(np.asarray(cv2.threshold(smooth, level, 1, cv2.THRESH_BINARY)[1], np.uint8), in_view)
        for level in (above_desk, small.split)
    ]
    corners = next(
        (some for some in found if some is not None and _has_edges(smooth, some, _STEP * lighter)), None
    )
    height, width = grey.shape
    return None if corners is None else Paper((corners + 0.5) / (width, height))


def _sheet_in(light: Grey, in_view: int) -> NDArray[np.intp] | None:
    """The corners (n, 2) of a sheet that this light area (height, width) is, if it is one.

    It covers no more corners of the picture than `in_view`.
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
    """Whether the light falls by a `step` at once where the sheet with these corners (n, 2) ends.

    At the edge of a shadow it falls over a wider way.
    """
    edge = np.zeros_like(grey)
    cv2.polylines(edge, [corners.astype(np.int32)], True, 1)
    edge[[0, -1]] = 0
    edge[:, [0, -1]] = 0
    wide = np.ones((2 * _SHARP + 1, 2 * _SHARP + 1), np.uint8)
    steps = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, wide), np.uint8)[edge > 0]
    return bool(steps.size) and float(np.quantile(steps, _SHADOW)) >= step


def on_paper(sheet: Sheet, paper: Paper) -> Sheet:
    """The picture with the desk covered: each of its pixels as light as the sheet is nearest to it."""
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
