"""What is paper and what is ink: polarity, uneven light, and the strength of the ink.

Paper is found as what stays when every dark thing narrower than a window is filled (a grey closing):
it follows shadows, their edges too, where a blurred background would leave a false line of ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.picture import Grey

Darkness = NDArray[np.uint8]
"""(height, width): share of the paper's light that is missing, 0 on paper to 255 for black."""

_SMALL = 128  # pixels, the longer side of the copy on which polarity and light are judged
_TIGHT = 64  # pixels: a picture this small is a cut-out digit, with no room for uneven light
_OBVIOUS = 2.2  # of 3, the score where one shade has nearly all the border and most of the picture
_WINDOW = 0.22  # of the shorter side: strokes wider than this are taken for shadow
_FINE = 800  # pixels, the longer side at which paper under uneven light is found


@dataclass(frozen=True, slots=True)
class Polarity:
    """`ink_is_dark`, and how plainly the picture shows it: below 1 both ways are worth trying."""

    ink_is_dark: bool
    plainness: float


def small_copy(grey: Grey) -> Grey:
    """The picture with a longer side of at most 128 pixels, averaged."""
    scale = _SMALL / max(grey.shape)
    if scale >= 1:
        return grey
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def polarity(small: Grey) -> Polarity:
    """Whether ink is dark, judged by what covers most, what lies at the border and what is narrow."""
    _, light = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
    covered = 2 * cv2.countNonZero(light) / light.size - 1
    score = covered + 2 * (2 * float(border.mean()) - 1)
    if abs(score) < _OBVIOUS:
        score -= 2 * _narrow_balance(small)
    return Polarity(score > 0, abs(score))


def _narrow_balance(small: Grey) -> float:
    """-1 where all that stands out from its surroundings is darker than they, 1 where lighter."""
    window = min(max(3, int(min(small.shape) * 0.35)), 101) | 1
    apart = small.astype(np.int16) - cv2.medianBlur(small, window)
    far = np.abs(apart)
    strong = apart[far > max(8.0, 0.4 * float(far.max()))]
    return float(strong.sum() / np.abs(strong).sum()) if strong.size else 0.0


def darkness(grey: Grey, small: Grey) -> tuple[Darkness, bool]:
    """Missing light of dark ink on light paper, uneven light taken out; and whether there was any."""
    if max(grey.shape) <= _TIGHT or _is_even(small):
        level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        lights = small[small > level]
        paper = float(np.median(lights)) if lights.size else 255.0
        table = 255 - np.arange(256) * (255 / max(paper, 1.0))
        return np.asarray(cv2.LUT(grey, np.clip(table, 0, 255).astype(np.uint8)), np.uint8), False
    light = cv2.divide(grey, _paper_under_shadow(grey), scale=255)
    return np.asarray(cv2.bitwise_not(light), np.uint8), True


def _is_even(small: Grey) -> bool:
    """Whether there is one level of paper and one of ink, and only thin edges in between."""
    counts = np.cumsum(np.bincount(small.ravel(), minlength=256))
    low, high = (float(np.searchsorted(counts, share * counts[-1])) for share in (0.01, 0.9))
    if high - low < 20:
        return True
    edge = 0.12 * (high - low)
    between = cv2.inRange(cv2.medianBlur(small, 3), low + edge, high - edge)
    solid = cv2.erode(between, np.ones((3, 3), np.uint8))
    return cv2.countNonZero(solid) < 0.01 * small.size


def _paper_under_shadow(grey: Grey) -> Grey:
    scale = min(1.0, _FINE / max(grey.shape))
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    fine = grey if scale == 1 else np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    fine = np.asarray(cv2.medianBlur(fine, 5), np.uint8)  # else the closing follows the noise
    side = max(3, int(min(fine.shape) * _WINDOW))
    # Beyond the border the light goes on as it is there; else the border would seem too dark.
    wide = cv2.copyMakeBorder(fine, side, side, side, side, cv2.BORDER_REPLICATE)
    wide = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = np.asarray(wide[side:-side, side:-side], np.uint8)
    if scale < 1:
        paper = np.asarray(cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    return paper
