"""MNIST's digits as pens draw them: smooth outlines, thin, thick, slanted; back through `network_input`."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digits.field import InkMap, network_input
from pipeline.canvas import enlarged, restroked
from pipeline.dataset import Digits

_SIZES = (60, 110)  # pixels, the longer side of the ink when it is drawn
_WIDTHS = (0.4, 1.8)  # of the stroke's own width
_TURN = 20.0  # degrees at most, either way: a tilted sheet or screen
_SLANT = 0.25  # shear at most, either way


def redrawn(digits: Digits, count: int, seed: int | Sequence[int]) -> Digits:
    """`count` of the digits, chosen by the seed, half with strokes of another width, half tilted."""
    rng = np.random.default_rng(seed)
    chosen = digits.take(rng.permutation(digits.total)[:count])
    images = chosen.images.copy()
    for image in images:
        ink = enlarged(image, int(rng.integers(*_SIZES)))
        if rng.random() < 0.5:
            ink = restroked(ink, float(np.exp(rng.uniform(*np.log(_WIDTHS)))))
        if rng.random() < 0.5:
            ink = tilted(ink, rng.uniform(-_TURN, _TURN), rng.uniform(-_SLANT, _SLANT))
        seen = network_input(ink)
        if seen is not None:
            image[:] = seen.round()
    return Digits(images, chosen.labels)


def tilted(ink: InkMap, degrees: float, shear: float) -> InkMap:
    """The ink turned about its middle, clockwise, and sheared, on a sheet large enough for both."""
    room = max(ink.shape) // 2
    sheet = np.pad(ink, room)
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, -shear], [0, 1]]
    middle = (np.array(sheet.shape[::-1]) - 1) / 2
    affine = np.hstack([matrix, (middle - matrix @ middle)[:, None]])
    return np.asarray(cv2.warpAffine(sheet, affine, sheet.shape[::-1]), np.float32)
