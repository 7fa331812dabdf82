"""Distinguishes paper and ink: polarity, uneven light, and darkness.

The level of the paper is found by a grey closing, which fills everything dark that is narrower than a window.
It follows shadows including their edges, where a blurred background would leave a false line of ink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from digits.ink.sheet import NEGATIVE, Grey, Sheet, transposed

_TIGHT = 64  # longer side in pixels, up to which a picture is a cut-out digit without uneven light
_NARROW_STRIP = 40  # shorter side in pixels, up to which it is cut out around a stroke
_OBVIOUS = 2.2  # score (at most 3) from which one shade covers nearly all the border and most of the picture
_USUALLY_DARK = 0.8  # added to a score that is not obvious, because most paper is light
_WIDEST_INK = 0.3  # above this share of the shorter side, a dark area is a shadow
_NARROW = 0.1  # window that finds dark and light strokes among shadows, relative to the shorter side
_WEAK = 76  # least darkness of ink by a pen, of 255; a pencil is fainter
_PENCIL = 0.06  # widest stroke of such faint ink, relative to the shorter side
_HARD = 0.002  # below this share of pixels between black and white, a picture has two tones
_FLAT = 0.08  # greatest difference within evenly lit paper, relative to the contrast
_WINDOW = 0.22  # above this share of the shorter side, strokes are treated as shadows

_NEXT = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Polarity:
    """Whether ink is darker than paper, and how clearly the picture shows it (`plainness`, from 0)."""

    ink_is_dark: bool
    plainness: float


def polarity(small: Sheet) -> Polarity:
    """Whether ink is dark, judged by the shade of most of the picture, of its border and of narrow parts."""
    grey = small.whole
    light = np.asarray(cv2.threshold(grey, small.split, 1, cv2.THRESH_BINARY)[1], np.uint8)
    covered = 2 * cv2.countNonZero(light) / light.size - 1
    score = covered + 2 * (2 * _share_of_border(light) - 1)
    if max(light.shape) <= _TIGHT or _is_two_tone(small):
        score -= 2 * _narrow_balance(grey)
    elif _has_wide(1 - light) and _has_wide(light):
        score = _USUALLY_DARK + _valley_balance(grey)
    elif abs(score) < _OBVIOUS:
        score += _USUALLY_DARK - 2 * _narrow_balance(grey)
    return Polarity(score > 0, abs(score))


def _share_of_border(light: Grey) -> float:
    """The share of the picture's border that is light, 0..1."""
    sides = (light[0], light[-1], light[1:-1, 0], light[1:-1, -1])
    return sum(map(cv2.countNonZero, sides)) / sum(side.size for side in sides)


def _narrow_balance(small: Grey) -> float:
    """-1 if everything that differs from its surroundings is darker, to 1 if everything is lighter."""
    window = min(max(3, int(min(small.shape) * 0.35)), 101) | 1
    apart = small.astype(np.int16) - cv2.medianBlur(small, window)
    far = np.abs(apart)
    strong = apart[far > max(8.0, 0.4 * float(far.max()))]
    return float(strong.sum() / np.abs(strong).sum()) if strong.size else 0.0


def _valley_balance(small: Grey) -> float:
    """1 if everything narrow is darker than both of its sides, to -1 if everything is lighter.

    Unlike `_narrow_balance`, it ignores the edge of a shadow, which is dark on one side only.
    """
    window = max(3, int(min(small.shape) * _NARROW)) | 1
    kernel = np.ones((window, window), np.uint8)
    dark, light = (cv2.morphologyEx(small, kind, kernel) for kind in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT))
    least = max(12.0, 0.4 * cv2.minMaxLoc(cv2.max(dark, light))[1])
    below, above = (float(part[part > least].sum()) for part in (dark, light))
    return (below - above) / (below + above) if below + above else 0.0


def _has_wide(mask: Grey) -> bool:
    """Whether the mask has an area wider than any stroke."""
    widest = max(1, int(min(mask.shape) * _WIDEST_INK))
    if cv2.countNonZero(mask) < widest**2:
        return False
    return cv2.countNonZero(cv2.erode(mask, np.ones((widest, widest), np.uint8), borderValue=0)) > 0


def darkness(sheet: Sheet, small: Sheet, ink_is_dark: bool) -> tuple[Sheet, bool]:
    """The darkness of each pixel without uneven light, and whether the light was uneven.

    Darkness is 0 on paper and 255 for black on white (or white on black). `small` is the small copy.
    """
    if not ink_is_dark:
        small = small.mapped(NEGATIVE)
    tight = max(sheet.width, sheet.height) <= _TIGHT or min(sheet.width, sheet.height) <= _NARROW_STRIP
    if tight or _is_two_tone(sheet) or _is_even(small) or _has_flat_paper(small.whole):
        return sheet.mapped(_darkness_on(_paper(small), ink_is_dark)), False
    return Sheet.all_of(without_shadow(sheet.whole, ink_is_dark, _WINDOW)), True


def _is_two_tone(sheet: Sheet) -> bool:
    """Whether hardly any pixel is between the darkest and the lightest, which excludes soft shadows."""
    levels = np.flatnonzero(sheet.counts)
    low, high = int(levels[0]), int(levels[-1])
    margin = 0.1 * (high - low)
    between = sheet.counts[round(low + margin) : round(high - margin) + 1].sum()
    return bool(between < _HARD * sheet.width * sheet.height)


def _paper(small: Sheet) -> int:
    """The level of the paper: the median of all light pixels."""
    lightest = small.counts[small.split + 1 :].cumsum()
    if not len(lightest) or not lightest[-1]:
        return 255
    return small.split + 1 + int(np.searchsorted(lightest, lightest[-1] / 2))


@cache
def _darkness_on(paper: int, ink_is_dark: bool) -> Grey:
    """For each grey level, the share of the paper's light that is missing, 0 to 255."""
    levels = np.arange(256) if ink_is_dark else np.arange(255, -1, -1)
    return np.asarray(np.clip(255 - levels * (255 / max(paper, 1)), 0, 255), np.uint8)


def without_shadow(grey: Grey, ink_is_dark: bool, window: float) -> Grey:
    """The share of the light missing at each pixel compared with paper there; for light ink, the light added.

    `window` is the greatest width of ink, as a share of the shorter side.
    """
    if ink_is_dark:
        paper = _filled(grey, cv2.MORPH_CLOSE, window)
        dark = np.asarray(255 - cv2.divide(grey, paper, scale=255), np.uint8)
    else:
        dark = np.asarray(cv2.subtract(grey, _filled(grey, cv2.MORPH_OPEN, window)), np.uint8)
    if cv2.minMaxLoc(dark)[1] < _WEAK:  # too faint for a pen, so only narrow parts are ink and not shadow
        dark = np.asarray(cv2.subtract(dark, _filled(dark, cv2.MORPH_OPEN, _PENCIL)), np.uint8)
    return dark


def _filled(grey: Grey, how: int, share: float) -> Grey:
    """The picture closed or opened (`how`) with a square window of this `share` of the shorter side."""
    side = max(3, int(min(grey.shape) * share)) | 1  # an even window would shift the picture
    # The picture is extended with its border's own levels; else the border would seem too dark.
    room = side - 1
    wide = np.asarray(cv2.copyMakeBorder(grey, room, room, room, room, cv2.BORDER_REPLICATE), np.uint8)
    first, second = (cv2.max, cv2.min) if how == cv2.MORPH_CLOSE else (cv2.min, cv2.max)
    return _extreme(_extreme(wide, side, first), side, second)


def _extreme(grey: Grey, side: int, of: Callable[[Grey, Grey], cv2.typing.MatLike]) -> Grey:
    """The highest or the lowest level in each square window within the picture.

    Wide windows are composed of smaller ones, which is several times faster than OpenCV's morphology.
    """
    for _ in range(2):
        reached = 1
        while reached < side:
            step = min(reached, side - reached)
            grey = np.asarray(of(grey[:-step], grey[step:]), np.uint8)
            reached += step
        grey = transposed(grey)
    return grey


def _has_flat_paper(small: Grey) -> bool:
    """Whether the paper has the same level everywhere, after everything as narrow as strokes is filled."""
    paper = _filled(small, cv2.MORPH_CLOSE, _WIDEST_INK)
    low, high, _, _ = cv2.minMaxLoc(paper)
    return high - low <= _FLAT * (high - cv2.minMaxLoc(small)[0])


def _is_even(small: Sheet) -> bool:
    """Whether there is one level of paper and one of ink, with only thin edges in between."""
    grey, reached = small.whole, small.counts.cumsum()
    low, high = np.searchsorted(reached, (0.01 * reached[-1], 0.9 * reached[-1])).tolist()
    if _has_wide(np.asarray(cv2.threshold(grey, (low + high) / 2, 1, cv2.THRESH_BINARY_INV)[1], np.uint8)):
        return False
    edge = 0.12 * (high - low)
    between = cv2.inRange(cv2.medianBlur(grey, 3), low + edge, high - edge)
    most = 0.01 * grey.size
    return cv2.countNonZero(between) < most or cv2.countNonZero(cv2.erode(between, _NEXT)) < most
