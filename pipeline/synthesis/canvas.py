"""MNIST's digits as people draw them on a 400x400 canvas: large, small, thin, thick, or anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 400  # pixels
Kind = Literal["large", "small", "thin", "thick", "anywhere"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_SIZES: dict[Kind, tuple[int, int]] = {  # pixels on the longer side of the ink
    "large": (260, 360),
    "small": (36, 70),
    "thin": (140, 240),
    "thick": (140, 240),
    "anywhere": (80, 240),
}
_WIDTHS: dict[Kind, tuple[float, float]] = {"thin": (0.35, 0.6), "thick": (1.4, 1.9)}  # relative stroke width


def canvases(images: NDArray[np.uint8], seed: int) -> Iterator[tuple[Kind, Image.Image]]:
    """Yield each of the digits (n, 28, 28) redrawn dark on white, with its kind; the kinds take turns."""
    rng = np.random.default_rng(seed)
    for number, image in enumerate(images):
        kind = KINDS[number % len(KINDS)]
        yield kind, redraw(image, kind, rng)


def redraw(image: NDArray[np.uint8], kind: Kind, rng: np.random.Generator) -> Image.Image:
    """Redraw one digit (28, 28), bright ink on black, with sharp edges on a canvas of 400x400 pixels."""
    ink = enlarged(image, int(rng.integers(*_SIZES[kind], endpoint=True)))
    if kind in _WIDTHS:
        ink = restroked(ink, float(rng.uniform(*_WIDTHS[kind])))
    height, width = ink.shape
    top, left = int(rng.integers(SIDE - height + 1)), int(rng.integers(SIDE - width + 1))
    canvas = np.zeros((SIDE, SIDE), np.float32)
    canvas[top : top + height, left : left + width] = ink
    return Image.fromarray((255 * (1 - canvas)).round().astype(np.uint8))


def enlarged(image: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Enlarge a digit to smooth outlines with `side` pixels on its longer side, at most the canvas's side."""
    rows, columns = (np.flatnonzero((image > 127).any(axis=axis)) for axis in (1, 0))
    longer = max(np.ptp(rows), np.ptp(columns)) + 1 if rows.size else image.shape[0]
    factor = side / longer
    large = cv2.resize(image.astype(np.float32), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), factor / 3)
    ink = np.clip((large - 127) / 20 + 0.5, 0, 1)
    return _cropped(np.asarray(ink, np.float32), margin=2)


def restroked(ink: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return the digit with strokes `share` times as wide, computed from the distance to the outline."""
    room = np.pad(ink, 40)
    solid = (room > 0.5).astype(np.uint8)
    inside, outside = (cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in (solid, 1 - solid))
    ridge = inside[(inside >= cv2.dilate(inside, np.ones((3, 3)))) & (inside > 1)]
    half = float(np.median(ridge)) if ridge.size else 1.0
    if share < 1:  # limited so that the thinnest strokes stay connected
        half = min(half, float(np.quantile(ridge, 0.1)) / 0.7 if ridge.size else 1.0)
    moved = np.clip(inside - outside + half * (share - 1) + 0.5, 0, 1)
    return _cropped(np.asarray(moved, np.float32), margin=2)


def _cropped(ink: NDArray[np.float32], margin: int) -> NDArray[np.float32]:
    rows, columns = (np.flatnonzero((ink > 0).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return ink[:SIDE, :SIDE]
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    return ink[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin][:SIDE, :SIDE]
