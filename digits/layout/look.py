"""Measures how a picture looks, to distinguish kinds of pictures for drift monitoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from digits.ink.extraction import Ink
from digits.network.network_input import InkLevels, stroke_width

_FINE = 96  # pixels: the longer side to which a mark is reduced to measure its strokes


@dataclass(frozen=True, slots=True)
class Look:
    """Measurements of a picture, which do not show what is written on it.

    - `paper`: the median lightness of the sheet as it was sent, from 0 (black) to 1 (white).
    - `ink`: the share of the sheet that is ink, 0 to 1.
    - `size`: the median of the marks' longer sides, as a share of the sheet's longer side; None without
      marks.
    - `stroke`: the median of the marks' mean stroke widths, each as a share of the mark's longer side; None
      without marks.
    """

    paper: float
    ink: float
    size: float | None
    stroke: float | None


def look_of(ink: Ink, marks: Sequence[InkLevels]) -> Look:
    """The look of a picture with this ink; `marks` are the ink of its marks, each in its box."""
    counts = ink.grey.counts.cumsum()
    paper = int(counts.searchsorted(counts[-1] / 2))
    place = ink.place
    inked = cv2.countNonZero(place.part) / (place.width * place.height)
    sides = [max(mark.shape) for mark in marks]
    size = median(sides) / max(place.width, place.height) if sides else None
    stroke = median(map(_stroke, marks)) if sides else None
    return Look(paper / 255, inked, size, stroke)


def _stroke(mark: InkLevels) -> float:
    """The mean stroke width of a mark as a share of its longer side."""
    step = max(1, max(mark.shape) // _FINE)
    coarse = np.ascontiguousarray(mark[::step, ::step])
    return float(min(1.0, stroke_width(coarse) / max(coarse.shape)))
