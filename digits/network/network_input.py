"""Turns the ink of one mark into the network's input of 28x28 pixels.

The input is made as in MNIST (LeCun et al., http://yann.lecun.com/exdb/mnist/): bright ink on black, with a
longer side of 20 pixels and its centre of mass in the middle of a 28x28 field. MNIST's strokes are 1.6 to 3.6
pixels wide (5th to 95th percentile); thinner and thicker strokes are brought close to that range.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import BOX, FIELD

InkMap = NDArray[np.float32]
"""(height, width), from 0 for paper to 1 for full ink."""

InkLevels = NDArray[np.uint8]
"""(height, width), from 0 for paper to 255 for full ink."""

INK = 0.25  # share of full ink, below which a pixel does not count for the ink's bounding box
_FINER = 4  # strokes are measured and changed on a grid this many times finer than the field
_FEW = 16  # longer side in pixels, up to which ink is enlarged before its strokes are measured
_THIN, _THICK = 1.9, 3.4  # pixels of the field: the widths to which thinner and thicker strokes are brought

_NEXT = np.ones((3, 3), np.uint8)


def network_input(ink: InkMap) -> NDArray[np.float32] | None:
    """The network's input for the ink of one digit: (28, 28), values 0..255; None if there is no ink."""
    return field_of(np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8))


def field_of(ink: InkLevels) -> NDArray[np.float32] | None:
    """The same as `network_input`, for ink in levels of 0 to 255."""
    cropped = _cropped(ink)
    if cropped is None:
        return None
    if max(cropped.shape) <= _FEW:
        cropped = _enlarged(cropped)
    if max(cropped.shape) > BOX:
        cropped = _cropped(_with_usual_stroke(cropped))
        if cropped is None:
            return None
    return _centred(_sized(cropped, BOX))


def _cropped(ink: InkLevels) -> InkLevels | None:
    left, top, width, height = cv2.boundingRect(cv2.threshold(ink, 255 * INK, 1, cv2.THRESH_BINARY)[1])
    return ink[top : top + height, left : left + width] if width else None


def _enlarged(ink: InkLevels) -> InkLevels:
    """Ink of few pixels, enlarged with smooth outlines."""
    times = _FINER * BOX // max(ink.shape)
    room = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(room, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def _sized(ink: InkLevels, side: int) -> InkLevels:
    """The ink scaled so that its longer side is `side` pixels."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ink, (width, height), interpolation=method), np.uint8)


def _with_usual_stroke(ink: InkLevels) -> InkLevels:
    """The ink on the finer grid, with strokes thickened or thinned to MNIST's widths."""
    edge = 2 * _FINER
    sized = _sized(ink, BOX * _FINER)
    fine = np.asarray(cv2.copyMakeBorder(sized, edge, edge, edge, edge, cv2.BORDER_CONSTANT), np.uint8)
    width = stroke_width(fine) / _FINER
    if width < _THIN:
        return np.asarray(cv2.dilate(fine, _disc((_THIN - width) * _FINER)), np.uint8)
    if width > _THICK:
        return np.asarray(cv2.erode(fine, _disc((width - _THICK) * _FINER)), np.uint8)
    return fine


def stroke_width(ink: InkLevels) -> float:
    """The mean width of the strokes in pixels: twice the area divided by the length of the outline."""
    mask = cv2.threshold(ink, 127, 1, cv2.THRESH_BINARY)[1]
    area = int(cv2.countNonZero(mask))
    inner = int(cv2.countNonZero(cv2.erode(mask, _NEXT, borderValue=0)))
    outline = area - inner
    return 2 * area / outline if outline else 1.0


def _disc(diameter: float) -> NDArray[np.uint8]:
    return _ellipse(max(1, round(diameter)) + 1)


@lru_cache(64)
def _ellipse(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _centred(small: InkLevels) -> NDArray[np.float32]:
    """Ink of at most 20x20 pixels in the 28x28 field, with its centre of mass in the middle."""
    height, width = small.shape
    moments = cv2.moments(small)
    mass = np.float32(moments["m00"])
    top = round(FIELD / 2 - (moments["m01"] + 0.5 * moments["m00"]) / mass)
    left = round(FIELD / 2 - (moments["m10"] + 0.5 * moments["m00"]) / mass)
    top, left = min(max(top, 0), FIELD - height), min(max(left, 0), FIELD - width)
    field = np.zeros((FIELD, FIELD), np.float32)
    field[top : top + height, left : left + width] = small
    return field
