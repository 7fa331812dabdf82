"""Variants of a drawing: moved, resized, as a JPEG, or with another stroke."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.synthesis.pen import Curve, draw

Place = tuple[int, int]


def page(
    curves: Sequence[Curve], side: float = 150, pen: int = 12, at: Place = (60, 40), size: Place = (300, 300)
) -> Image.Image:
    """Draw strokes on a white page with this size and pen in pixels; `at` is left and top."""
    ink = draw(curves, side, pen)
    paper = np.zeros((size[1], size[0]), np.float32)
    paper[at[1] : at[1] + ink.shape[0], at[0] : at[0] + ink.shape[1]] = ink
    return Image.fromarray((255 - 255 * paper).astype(np.uint8))


def as_jpeg(image: Image.Image, quality: int = 60) -> Image.Image:
    """Return the picture after JPEG compression."""
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return Image.open(io.BytesIO(content.getvalue()))


def png(image: Image.Image) -> bytes:
    """Return the bytes of a PNG of the picture."""
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def short_stroke(curves: Sequence[Curve], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a stroke about a tenth as long as the drawing's longer side, at a random position in it."""
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    start = rng.uniform(low, high)
    return np.stack([start, start + rng.normal(0, 0.1 * float((high - low).max()), 2)])
