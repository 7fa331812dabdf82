"""From the ink of one mark to the 28x28 pixels that the network sees.

The network's input is MNIST's own recipe (LeCun et al., http://yann.lecun.com/exdb/mnist/): ink
bright on black, its longer side 20 pixels, its centre of mass in the middle of a 28x28 field. MNIST's
strokes are 1.6 to 3.6 pixels wide (5th to 95th percentile); thinner and thicker ones are brought near.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import BOX, FIELD

InkMap = NDArray[np.float32]
"""(height, width), 0 where there is paper, 1 where there is full ink."""

InkLevels = NDArray[np.uint8]
"""(height, width): the same in levels of 0 (paper) to 255 (full ink)."""

INK = 0.25  # of full ink: less does not count when the ink's box is measured
_FINER = 4  # strokes are measured and changed on a grid so many times finer than the field's
_FEW = 16  # pixels: ink no larger is enlarged before its strokes are measured
_THIN, _THICK = 1.9, 3.4  # pixels of the field: strokes outside are brought to these widths

_NEXT = np.ones((3, 3), np.uint8)


def network_input(ink: InkMap) -> NDArray[np.float32] | None:
    """The ink of one digit as the network sees it: (28, 28), values 0..255; None where no ink is."""
    return field_of(np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8))


def field_of(ink: InkLevels) -> NDArray[np.float32] | None:
    """What `network_input` gives, for ink in levels of 0 to 255."""
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
    """Ink of few pixels as a drawing of many, with smooth outlines."""
    times = _FINER * BOX // max(ink.shape)
    room = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(room, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def _sized(ink: InkLevels, side: int) -> InkLevels:
    """The ink with its longer side made `side` pixels."""
    scale = side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ink, (width, height), interpolation=method), np.uint8)


def _with_usual_stroke(ink: InkLevels) -> InkLevels:
    """The ink on the finer grid, its strokes thickened or thinned to what MNIST has."""
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
    """The mean width of the strokes in pixels: twice the area by the length of the outline."""
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
    """Ink of at most 20x20 laid into the 28x28 field with its centre of mass in the middle."""
    height, width = small.shape
    moments = cv2.moments(small)
    mass = np.float32(moments["m00"])
    top = round(FIELD / 2 - (moments["m01"] + 0.5 * moments["m00"]) / mass)
    left = round(FIELD / 2 - (moments["m10"] + 0.5 * moments["m00"]) / mass)
    top, left = min(max(top, 0), FIELD - height), min(max(left, 0), FIELD - width)
    field = np.zeros((FIELD, FIELD), np.float32)
    field[top : top + height, left : left + width] = small
    return field
