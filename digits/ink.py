"""From any picture to its ink: paper 0, ink 1, whatever the light, the polarity and the dirt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.field import BOX, FIELD, INK, InkMap, network_input
from digits.paper import Darkness, darkness, histogram, polarity, small_copy
from digits.picture import Grey, Layer, layer_of
from digits.rules import without_rules

__all__ = ["BOX", "FIELD", "INK", "Ink", "InkMap", "find_ink", "ink_map", "network_input"]

_FAINTEST = 9  # of 255, of the paper's light: less is no ink
_FAINTEST_IN_SHADOW = 30  # the same where the light is uneven, and so never quite taken out
_NOISE = 5.0  # standard deviations of the paper's noise: less is no ink
_PLAIN = 1.7  # polarity score above which the other way round is not worth trying
_PLAIN_IN_SHADOW = 0.6  # the same among shadows, where paper is nearly always light
_SPECKLED = 0.0005  # of all pixels: more lone ones are noise, not dirt


@dataclass(frozen=True, slots=True)
class Ink:
    """The ink of a picture, at `shrink` times smaller than its upright `width` and `height`.

    `pixels` is 0 on paper and 255 in full ink; `mask` is 1 where ink is. `contrast` is the share of
    the paper's light that full ink takes away. `rough`: noise or uneven light.
    `in_doubt`: the other polarity may be the right one.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    contrast: float
    shrink: int
    width: int
    height: int
    rough: bool = False
    in_doubt: bool = False


def ink_map(image: Image.Image) -> InkMap:
    """Ink of a picture in any mode and polarity: 0 is paper, 1 is full ink, shape (height, width).

    Transparent pixels are paper; uneven light and printed lines are taken out. A picture of more than
    two megapixels gives a smaller map. Raises `ImageError` for a picture with a side of zero pixels.
    """
    return np.asarray(find_ink(image).pixels / np.float32(255), np.float32)


def find_ink(image: Image.Image, turned: bool = False) -> Ink:
    """The ink of a picture; `turned` reads it in the polarity that seems less likely.

    Raises `ImageError` for a picture with a side of zero pixels.
    """
    layer = layer_of(image)
    grey = _without_noise(_without_salt(layer.grey))
    small = small_copy(grey)
    seems = polarity(small)
    dark, uneven = darkness(grey, small, seems.ink_is_dark != turned)
    faintest = _FAINTEST_IN_SHADOW if uneven else _FAINTEST
    ink = _strengthened(dark, _noise(dark, apart=6), faintest, layer)
    ink = replace(
        ink, rough=ink.rough or uneven, in_doubt=seems.plainness < (_PLAIN_IN_SHADOW if uneven else _PLAIN)
    )
    ruleless = without_rules(ink.pixels, ink.mask)
    if ruleless is None:
        return ink
    return replace(ink, pixels=ruleless, mask=ink.mask * _above(ruleless, 255 * INK))


def _without_salt(grey: Grey) -> Grey:
    """Lone pixels unlike all eight around them taken out, where there are many."""
    if min(grey.shape) <= FIELD * 2:
        return grey
    step = max(3, grey.shape[0] // 40)
    before, rows, after = (grey[k : k - 2 or None : step] for k in (0, 1, 2))
    rows, before = rows[: len(after)], before[: len(after)]
    inner, *sides = rows[:, 1:-1], before[:, 1:-1], after[:, 1:-1], rows[:, 2:], rows[:, :-2]
    above = cv2.subtract(inner, np.max(sides, axis=0))
    below = cv2.subtract(np.min(sides, axis=0), inner)
    lone = cv2.countNonZero(_above(np.maximum(above, below), 50)) / inner.size
    if lone < _SPECKLED:
        return grey
    return np.asarray(cv2.medianBlur(grey, 3 if lone < 0.01 else 5), np.uint8)


def _without_noise(grey: Grey) -> Grey:
    """The picture smoothed as much as its noise asks for."""
    noise = _noise(grey)
    if noise < 2.5:
        return grey
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), min(2.5, 0.7 + noise / 25)), np.uint8)


def _noise(grey: Grey, apart: int = 1) -> float:
    """Standard deviation of the paper's noise, from how pixels `apart` from each other differ."""
    if min(grey.shape) <= 2 * FIELD:
        return 0.0
    sample = grey[:: max(1, grey.shape[0] // 50)]
    change = cv2.absdiff(sample[:, apart:], sample[:, :-apart])
    return _middle(np.asarray(change, np.uint8)) * 1.05  # 1.48 (median to deviation) / sqrt(2) (two pixels)


def _middle(levels: Grey) -> float:
    """The median, between two levels where it lies in a crowd of equal ones."""
    counts = histogram(levels).cumsum()
    half = counts[-1] / 2
    level = int(np.searchsorted(counts, half))
    before = counts[level - 1] if level else 0
    return max(0.0, level - 1 + (half - before) / (counts[level] - before)) if level else 0.0


def _strengthened(dark: Darkness, noise: float, faintest: float, layer: Layer) -> Ink:
    """Darkness scaled so that full ink is 255, with all that is no ink set to 0."""
    left, top, width, height = (0, 0, *dark.shape[::-1]) if noise else cv2.boundingRect(dark)
    part = dark[top : top + height, left : left + width]
    pixels, mask, contrast = _ink_and_mask(part, noise, faintest)
    ink = Ink(
        np.zeros_like(dark), np.zeros_like(dark), contrast, layer.shrink, layer.width, layer.height, noise > 1
    )
    if contrast:
        ink.pixels[top : top + height, left : left + width] = pixels
        ink.mask[top : top + height, left : left + width] = mask
    return ink


def _ink_and_mask(dark: Darkness, noise: float, faintest: float) -> tuple[Darkness, Grey, float]:
    """Ink in levels of 0 to 255, 1 where ink is, and the contrast: 0 where there is none."""
    counts = histogram(dark)
    floor = float(np.searchsorted(counts.cumsum(), counts.sum() / 2)) if noise else 0.0
    least = max(faintest, floor + _NOISE * noise)
    counts[: int(least) + 1] = 0
    if not counts.any():
        return dark, dark, 0.0
    split, full = _strength(counts)
    table = np.clip((np.arange(256) - floor) * (255 / (full - floor)), 0, 255).astype(np.uint8)
    ink = np.asarray(cv2.LUT(dark, table), np.uint8)
    level = min(max(255 * INK, float(table[int(least)]), float(table[int(split)])), 150)
    mask = _above(ink, level)
    ink = np.asarray(cv2.multiply(ink, cv2.dilate(mask, np.ones((3, 3), np.uint8))), np.uint8)
    return ink, mask, full / 255


def _above(ink: NDArray[np.uint8], level: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.threshold(ink, level, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _strength(counts: NDArray[np.float64]) -> tuple[float, float]:
    """From a histogram: the level that parts weak ink (rulings, soft edges) from strong, and full ink.

    The level is Otsu's (1979): it makes the variance between the two classes largest.
    """
    levels = np.arange(len(counts))
    below, mass = counts.cumsum(), (counts * levels).cumsum()
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    split = int(np.argmax(np.nan_to_num(between)))
    strong = np.where(levels > split, counts, 0) if above[split] else counts
    full = int(np.searchsorted(strong.cumsum(), 0.75 * strong.sum()))
    return float(split), float(full)
