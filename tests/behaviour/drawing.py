"""Draws the ten digits, and lines of them, as a person with a round pen would."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.browser.strokes import DIGITS, curve

Grey = NDArray[np.uint8]
_FINER = 4  # drawn so many times larger, then averaged: smooth edges


def drawing(
    text: str,
    size: tuple[int, int] = (280, 280),
    box: float = 160,
    at: tuple[float, float] = (80, 60),
    pen: float = 12,
    step: float = 1.0,
) -> Grey:
    """Digits side by side as dark ink on white: `box` pixels high, the first one's box at `at` (x, y).

    `step`: distance between the starts of two digits, in widths of a box (0.8 of the height).
    """
    image = Image.new("L", (size[0] * _FINER, size[1] * _FINER), 255)
    pencil = ImageDraw.Draw(image)
    for place, character in enumerate(text):
        left = at[0] + place * step * box * 0.8
        for stroke in DIGITS[int(character)]:
            points = [
                ((left + x * box * 0.8) * _FINER, (at[1] + y * box) * _FINER) for x, y in curve(stroke, 8)
            ]
            pencil.line(points, fill=0, width=round(pen * _FINER), joint="curve")
            for x, y in points:
                radius = pen * _FINER / 2
                pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return np.array(image.resize(size, Image.Resampling.BOX))


def picture(pixels: Grey) -> Image.Image:
    return Image.fromarray(pixels)


def shadowed(pixels: Grey, depth: float = 0.5) -> Grey:
    """The picture with the edge of a shadow across it."""
    height, width = pixels.shape
    across = np.arange(width)[None, :] * 0.8 + np.arange(height)[:, None] * 0.6
    light = 1 - depth / (1 + np.exp(-(across - across.mean()) / 4))
    return np.asarray(pixels * light, np.uint8)


def ruled(pixels: Grey, gap: int = 40, level: int = 130, squared: bool = False, slope: float = 0.0) -> Grey:
    """The picture on ruled or squared paper, whose lines rise by `slope`."""
    height, width = pixels.shape
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    lines = ((y + slope * x) % gap < 2) | (squared & ((x - slope * y) % gap < 2))
    return np.asarray(np.where(lines, np.minimum(pixels, level), pixels), np.uint8)
