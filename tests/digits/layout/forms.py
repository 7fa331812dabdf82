"""Draws printed forms: dark lines on white sheets, with digits that `tests.behaviour.drawing` draws."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from digits.ink.extraction import find_darkness
from digits.ink.sheet import Grey
from digits.layout.frames.classification import Frames
from digits.layout.frames.search import find_frames
from digits.layout.page import Page, find_page
from digits.layout.rules.rule import Rule
from tests.behaviour.drawing import drawing

LEAST = 60  # greatest darkness of paper
X, Y = (40, 160, 280, 400), (50, 130, 210, 290)  # places of the vertical and horizontal rules of a 3x3 grid


def sheet(width: int, height: int) -> Grey:
    return np.full((height, width), 255, np.uint8)


def ruled_grid(
    grey: Grey, x: Sequence[int], y: Sequence[int], thickness: int = 2, level: int = 0, dash: int = 0
) -> Grey:
    """The sheet with a grid of lines at these places; with `dash`, of dashes of this length."""
    drawn = grey.copy()
    for place in y:
        _line(drawn, (x[0], place), (x[-1], place), thickness, level, dash)
    for place in x:
        _line(drawn, (place, y[0]), (place, y[-1]), thickness, level, dash)
    return drawn


def _line(
    grey: Grey, start: tuple[int, int], end: tuple[int, int], thickness: int, level: int, dash: int
) -> None:
    (left, top), (right, bottom) = start, end
    before = thickness // 2
    if not dash:
        grey[top - before : bottom - before + thickness, left - before : right - before + thickness] = level
        return
    horizontal = top == bottom
    for place in range(left if horizontal else top, right if horizontal else bottom, 2 * dash):
        if horizontal:
            grey[top - before : top - before + thickness, place : place + dash] = level
        else:
            grey[place : place + dash, left - before : left - before + thickness] = level


def comb(grey: Grey, x: Sequence[int], foot: int, tall: int, thickness: int = 2) -> Grey:
    """The sheet with a horizontal line and teeth at these places."""
    drawn = grey.copy()
    _line(drawn, (x[0], foot), (x[-1], foot), thickness, 0, 0)
    for place in x:
        _line(drawn, (place, foot - tall), (place, foot), thickness, 0, 0)
    return drawn


def write(grey: Grey, text: str, at: tuple[int, int], height: int, pen: float = 4, step: float = 1.3) -> Grey:
    """The sheet with handwritten digits, `height` pixels high, from the place `at` (x, y) on."""
    size = (grey.shape[1], grey.shape[0])
    written = drawing(text, size=size, box=height, at=at, pen=pen, step=step)
    return np.asarray(np.minimum(grey, written), np.uint8)


def filled(grey: Grey) -> Grey:
    """A digit in each cell of the grid whose rules are at `X` and `Y`."""
    for row in range(3):
        for column in range(3):
            grey = write(grey, str(3 * row + column), (X[column] + 35, Y[row] + 18), 46)
    return grey


def in_perspective(grey: Grey, strength: float = 0.08) -> Grey:
    """The sheet as a camera sees it from below and from the side."""
    height, width = grey.shape
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = flat + np.array([(1, 0.4), (-0.7, 1), (0, 0), (0.3, -0.5)], np.float32) * strength * min(
        height, width
    )
    matrix = cv2.getPerspectiveTransform(flat, seen.astype(np.float32))
    return np.asarray(cv2.warpPerspective(grey, matrix, (width, height), borderValue=(255,)), np.uint8)


def leaning(grey: Grey, degrees: float) -> Grey:
    """The sheet rotated about its middle."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(
        cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255,)), np.uint8
    )


def rule(
    start: float, end: float, at: float, thickness: float = 2, slope: float = 0.0, dashed: bool = False
) -> Rule:
    """A rule as it would be found, from `start` to `end` along it; `at` is its place across at `start`."""
    return Rule(start, end, (0.0, slope, at - slope * start), thickness, 1.0, dashed)


def mask_of(grey: Grey) -> Grey:
    """1 where there is ink."""
    return np.asarray(255 - grey > LEAST, np.uint8)


def frames_of(grey: Grey) -> Frames:
    return find_frames(np.asarray(255 - grey, np.uint8), LEAST)


def page_of(grey: Grey) -> Page:
    return find_page(find_darkness(Image.fromarray(grey)).finer())
