"""Measures how far a picture is out of focus, and brings it back into focus.

In a picture that is out of focus, neighbouring strokes merge, and no threshold separates them. The blur can
be undone as far as the picture's noise allows (Wiener, 1949), once its width is known. The width is measured
in the spectrum: the spectrum of sharp edges falls with a power of the frequency, and a blur multiplies it by
a Gaussian.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, Sheet, transposed

_STROKE = 0.1  # greatest width of a stroke, relative to the shorter side
_SHOWS = 4  # least difference between a stroke and the paper in the small copy, of 255
_RUNS = 48  # rows, and columns, whose spectrum is measured
_SMALLEST = 250  # pixels: a shorter side has too few frequencies
_BAND = 0.004  # cycles per pixel: the width of a band of frequencies
_COARSE = 5  # lowest bands, which are left out because they show the layout and the lighting
_SHARP = 1.5  # exponent with which the power of sharp edges falls with the frequency
_LOST = 2.5  # a frequency is lost if the logarithm of its power is this far below that of sharp edges
_REGAINED = 2.0  # in a blurred picture, all higher ones too are at least this far below the highest before it
_FEWEST = 3  # bands before the first lost one, from which the blur's width can be measured
_NARROWEST = 2.5  # least standard deviation of a blur that hides details of a digit, in pixels
_WIDE = 4.0  # pixels: a picture with a wider blur shows as much at half the size
_KEPT = 0.1  # share of a frequency's amplitude left by the blur, at which the amplification is greatest
_NOISE_NEAR_INK = 10.0  # a photo's noise near ink, relative to its average
_HALO = 2.0  # distance from a stroke within which paper may become too light, relative to the blur's width


class Blur(NamedTuple):
    """A Gaussian blur.

    `width` is its standard deviation in pixels. `noise` is the power of the picture's noise, relative to that
    of its edges.
    """

    width: float
    noise: float

    @property
    def is_noisy(self) -> bool:
        """Whether sharpening would show noise rather than strokes at the weakest frequency that is kept."""
        weakest = math.sqrt(-math.log(_KEPT) / 2) / (math.pi * self.width)
        return _NOISE_NEAR_INK * self.noise * math.pow(weakest, _SHARP + 1) > _KEPT**2 / 2


def focused(sheet: Sheet, small: Sheet, ink_is_dark: bool) -> tuple[Sheet, int]:
    """The sheet in focus, and the factor by which it was made smaller (1 or 2); `small` is its small copy.

    A picture that is in focus is not changed. One with a wide blur becomes half as large.
    """
    # Paper of a single level was drawn and not photographed. Without strokes, soft edges are those of
    # shadows.
    if sheet.outside or not _has_strokes(small.whole, ink_is_dark):
        return sheet, 1
    blur = blur_of(sheet.whole)
    if blur is None or blur.width < _NARROWEST or blur.is_noisy:
        return sheet, 1
    height, width = sheet.whole.shape
    # The transform needs even sides, also for the picture of half the size.
    even = cv2.copyMakeBorder(sheet.whole, 0, -height % 4, 0, -width % 4, cv2.BORDER_REPLICATE)
    half = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sharp = _sharpened(np.asarray(half, np.uint8), Blur(blur.width / 2, blur.noise), ink_is_dark)
    if blur.width >= _WIDE:
        return Sheet.all_of(np.ascontiguousarray(sharp[: (height + 1) // 2, : (width + 1) // 2])), 2
    large = cv2.resize(sharp, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return Sheet.all_of(np.ascontiguousarray(large[:height, :width], np.uint8)), 1


def _has_strokes(small: Grey, ink_is_dark: bool) -> bool:
    """Whether anything narrow differs from the paper on both of its sides."""
    side = max(3, int(min(small.shape) * _STROKE)) | 1
    how = cv2.MORPH_BLACKHAT if ink_is_dark else cv2.MORPH_TOPHAT
    apart = np.asarray(cv2.morphologyEx(small, how, np.ones((side, side), np.uint8)), np.uint8)
    inner = apart[side:-side, side:-side]  # a shadow at the picture's edge may be narrow, too
    return bool(inner.size and inner.max() >= _SHOWS)


def blur_of(grey: Grey) -> Blur | None:
    """The blur of a picture; None if it is in focus, too small or too noisy."""
    if min(grey.shape) < _SMALLEST:
        return None
    power = _power(grey)
    frequency = (np.arange(len(power)) + 0.5) * _BAND
    level = np.log(power + 1e-9) + _SHARP * np.log(frequency)
    smooth = np.convolve(np.pad(level, 1, mode="edge"), np.full(3, 1 / 3), "valid")[_COARSE:]
    lost = np.flatnonzero(smooth < np.maximum.accumulate(smooth) - _LOST)
    if not len(lost) or lost[0] < _FEWEST or smooth[lost[0] :].max() > smooth[: lost[0]].max() - _REGAINED:
        return None
    end = _COARSE + int(lost[0])
    known = slice(_COARSE, end + 1)
    slope, level_of_sharp = np.polyfit(frequency[known] ** 2, level[known], 1, w=np.sqrt(frequency[known]))
    noise = float(np.median(power[end:]) / math.exp(level_of_sharp))
    return Blur(math.sqrt(max(0.0, -slope)) / (2 * math.pi), noise)


def _power(grey: Grey) -> NDArray[np.float64]:
    """The mean power of each band of frequencies along rows and columns, from the lowest band."""
    bands = round(0.5 / _BAND)
    total = np.zeros(bands)
    for lines in (grey, transposed(grey)):
        apart = max(1, len(lines) // _RUNS)
        some = lines[apart // 2 :: apart, : lines.shape[1] // 2 * 2].astype(np.float32)
        power = (cv2.dct(some, flags=cv2.DCT_ROWS) ** 2).mean(axis=0)
        band = np.minimum((np.arange(len(power)) / (2 * len(power) * _BAND)).astype(int), bands - 1)
        total += np.bincount(band, power, bands) / np.bincount(band, minlength=bands)
    return total


def _sharpened(grey: Grey, blur: Blur, ink_is_dark: bool) -> Grey:
    """A picture with even sides, its blur undone as far as its noise allows."""
    rows, columns = ((np.arange(side, dtype=np.float32) / (2 * side)) ** 2 for side in grey.shape)
    squared = np.add.outer(rows, columns)
    kept = cv2.exp(squared * np.float32(-2 * (math.pi * blur.width) ** 2))
    noise = _NOISE_NEAR_INK * blur.noise * cv2.pow(squared / 4, (_SHARP + 1) / 2) + _KEPT**2
    gain = kept * np.float32(1 + _KEPT**2) / (kept**2 + noise)
    found = cv2.idct(cv2.dct(grey.astype(np.float32)) * gain)
    sharp = np.asarray(np.clip(np.rint(found), 0, 255), np.uint8)
    # Next to a stroke the paper becomes too light, so it is limited to the lightest level nearby.
    side = 2 * math.ceil(_HALO * blur.width) + 1
    near = np.ones((side, side), np.uint8)
    if ink_is_dark:
        return np.asarray(cv2.min(sharp, cv2.dilate(grey, near)), np.uint8)
    return np.asarray(cv2.max(sharp, cv2.erode(grey, near)), np.uint8)
