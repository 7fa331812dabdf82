"""How a picture looks to the reader, in a few numbers: what tells one kind of pictures from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from digits.ink.extraction import Ink
from digits.network.network_input import InkLevels, stroke_width

_FINE = 96  # pixels: the width of strokes shows on a mark whose longer side has about so many


@dataclass(frozen=True, slots=True)
class Look:
    """A picture in numbers, none of which shows what is written on it.

    `paper`: how light most of the sheet is as it was sent, 0 black to 1 white, whatever the ink is.
    `ink`: the share of the sheet that is ink, 0 to 1. `size` and `stroke` are of the middle one of
    the marks, None where there are none: its longer side as a share of the sheet's, and the mean width of its
    strokes as a share of its own longer side.
    """

    paper: float
    ink: float
    size: float | None
    stroke: float | None


def look_of(ink: Ink, marks: Sequence[InkLevels]) -> Look:
    """The look of a picture with this ink, of which these are the marks, each in its box."""
    counts = ink.grey.counts.cumsum()
    paper = int(counts.searchsorted(counts[-1] / 2))
    place = ink.place
    inked = cv2.countNonZero(place.part) / (place.width * place.height)
    sides = [max(mark.shape) for mark in marks]
    size = median(sides) / max(place.width, place.height) if sides else None
    stroke = median(map(_stroke, marks)) if sides else None
    return Look(paper / 255, inked, size, stroke)


def _stroke(mark: InkLevels) -> float:
    """The mean width of a mark's strokes as a share of its longer side."""
    step = max(1, max(mark.shape) // _FINE)
    coarse = np.ascontiguousarray(mark[::step, ::step])
    return float(min(1.0, stroke_width(coarse) / max(coarse.shape)))
