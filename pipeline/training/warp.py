"""Augment a batch of digits: rotation, shear, scale, shift, elastic bends, stroke width and sharpness."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import FIELD

Floats = NDArray[np.float32]

_TILE = FIELD + 2  # a digit with a margin of paper, so that neighbours in the column never mix
_KNOTS = 5  # elastic bends along each side
_REACH = 5.0  # the standard deviation of a bend's extent in pixels


def warped(
    images: NDArray[np.uint8],
    random: np.random.Generator,
    *,
    rotation: float = 0.0,
    shear: float = 0.0,
    scale: float = 0.0,
    shift: float = 0.0,
    elastic: float = 0.0,
    stroke: float = 0.0,
    sharpness: float = 0.0,
) -> Floats:
    """Return each of the images (n, 28, 28) with random changes, as float32 (n, 28, 28, 1), 0..255.

    Each parameter limits a change in both directions: `rotation` and `shear` in degrees, `scale` as a share
    of each side, `shift` in pixels. `elastic` is the standard deviation of the bends in pixels. Ink is raised
    to a power of up to 2^`stroke` (narrower) or 2^-`stroke` (wider). Edges become up to 2^`sharpness` times
    as steep.
    """
    count = len(images)
    knobs = random.uniform(-1, 1, (6, count))
    degrees = knobs[0] * math.radians(rotation), knobs[1] * math.radians(shear)
    x = _sampled(images, _places(random, degrees, knobs[2:4] * scale, knobs[4:] * shift, elastic))
    if stroke or sharpness:
        x = _inked(x, random, stroke, sharpness)
    return x[..., None]


def _basis() -> Floats:
    """Return the basis (28, 784) of source positions: x and y from the centre, 1, and 25 Gaussian bends."""
    at = np.arange(FIELD) - (FIELD - 1) / 2
    y, x = (grid.ravel() for grid in np.meshgrid(at, at, indexing="ij"))
    knots = np.linspace(-11, 11, _KNOTS)
    down, across = (grid.reshape(-1, 1) for grid in np.meshgrid(knots, knots, indexing="ij"))
    bends = np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * _REACH**2))
    return np.concatenate([np.stack([x, y, np.ones_like(x)]), bends]).astype(np.float32)


_BASIS = _basis()
_NOTHING = np.empty(0, np.float32)  # the summand of OpenCV's matrix product, which is not used


def _places(
    random: np.random.Generator,
    turned: tuple[NDArray[np.float64], NDArray[np.float64]],
    grown: NDArray[np.float64],
    moved: NDArray[np.float64],
    elastic: float,
) -> Floats:
    """Return the source position of each pixel from the centre (2, n, 784), x before y."""
    turn, lean = turned[0], np.tan(turned[1])
    wide, high = 1 + grown
    parts = np.empty((2, len(turn), len(_BASIS)), np.float32)
    parts[0, :, :3] = np.stack([np.cos(turn) / wide, (np.sin(turn) + lean) / wide, moved[0]], axis=1)
    parts[1, :, :3] = np.stack([-np.sin(turn) / high, np.cos(turn) / high, moved[1]], axis=1)
    bends = random.standard_normal((2, len(turn), _KNOTS**2), dtype=np.float32)
    parts[:, :, 3:] = bends * np.float32(elastic)
    # numpy's own product wakes threads that spin, which costs the training 40 times as much CPU time
    places = cv2.gemm(parts.reshape(-1, len(_BASIS)), _BASIS, 1.0, _NOTHING, 0.0)
    return np.asarray(places, np.float32).reshape(2, len(turn), -1)


def _sampled(images: NDArray[np.uint8], places: Floats) -> Floats:
    """Sample the images at these positions, with one call for a column of all images."""
    count = len(images)
    mosaic = np.zeros((count, _TILE, _TILE), np.float32)
    mosaic[:, 1:-1, 1:-1] = images
    places = np.clip(places + np.float32((_TILE - 1) / 2), 0, _TILE - 1)
    places[1] += np.arange(count, dtype=np.float32)[:, None] * _TILE
    x, y = places.reshape(2, count * FIELD, FIELD)
    found = cv2.remap(mosaic.reshape(-1, _TILE), x, y, cv2.INTER_LINEAR)
    return np.asarray(found, np.float32).reshape(count, FIELD, FIELD)


def _inked(x: Floats, random: np.random.Generator, stroke: float, sharpness: float) -> Floats:
    """Raise ink to a power, which moves soft edges, then make edges steeper; paper stays 0."""
    each = (len(x), 1, 1)
    exponent = np.exp2(random.uniform(-1, 1, each) * stroke).astype(np.float32)
    gain = np.exp2(random.uniform(0, 1, each) * sharpness).astype(np.float32)
    ink = (x / 255) ** exponent
    return np.asarray(np.clip((ink - 0.5) * gain + 0.5, 0, 1) * 255, np.float32)
