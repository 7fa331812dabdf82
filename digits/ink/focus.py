"""How far a picture is out of focus, and the same picture brought back into focus.

Strokes that are near to each other run together when a picture is out of focus, and no threshold parts them
again. The blur can be undone as far as the picture's noise lets it (Wiener, 1949), once its width is known.
The picture tells it: sharp edges fill all frequencies, each weaker than the one before by a power of it, and
a blur takes the high ones away as a Gaussian does.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.ink.sheet import Grey, Sheet, turned

_STROKE = 0.1  # of the shorter side: no stroke is wider,
_SHOWS = 4  # of 255: and none so faint, in a small copy
_RUNS = 48  # rows, and columns, from which the frequencies are taken
_SMALLEST = 250  # pixels: a side of fewer has too few frequencies
_BAND = 0.004  # cycles a pixel: frequencies so near to each other are taken together
_COARSE = 5  # bands: lower frequencies are the layout's, and the light's
_SHARP = 1.5  # power of the frequency by which what sharp edges give falls
_LOST = 2.5  # of the power's logarithm, below that of sharp edges: from there on nothing is left
_REGAINED = 2.0  # as far below at least stays all that is finer, in a blurred picture
_FEWEST = 3  # bands, until nothing is left, that show the width of the blur
_NARROWEST = 2.5  # pixels: the standard deviation of a blur that hides something of a digit
_WIDE = 4.0  # pixels: of a picture blurred so far a half as large one shows as much
_KEPT = 0.1  # of a frequency, so much has to be left for the most it is raised
_UNREST = 10.0  # times: near ink, where it matters, a photo's noise is so much stronger than on average
_HALO = 2.0  # times the blur's width: so near to a stroke its sharpening may make the paper too light


class Blur(NamedTuple):
    """`width`: a Gaussian's standard deviation in pixels; `noise`: the picture's own, of its edges' power."""

    width: float
    noise: float

    @property
    def is_noisy(self) -> bool:
        """Whether noise comes out, rather than strokes, where the least is left of them."""
        weakest = math.sqrt(-math.log(_KEPT) / 2) / (math.pi * self.width)
        return _UNREST * self.noise * math.pow(weakest, _SHARP + 1) > _KEPT**2 / 2


def focused(sheet: Sheet, small: Sheet, ink_is_dark: bool) -> tuple[Sheet, int]:
    """The sheet in focus, and how many times smaller than it was; `small` is its small copy.

    A picture that was in focus stays as it is; one that is widely blurred becomes half as large.
    """
    # Paper all of one level was drawn, and not photographed; the edges of shadows alone are soft as they are.
    if sheet.outside or not _has_strokes(small.whole, ink_is_dark):
        return sheet, 1
    blur = blur_of(sheet.whole)
    if blur is None or blur.width < _NARROWEST or blur.is_noisy:
        return sheet, 1
    height, width = sheet.whole.shape
    # The transform asks for even sides, of the half as well.
    even = cv2.copyMakeBorder(sheet.whole, 0, -height % 4, 0, -width % 4, cv2.BORDER_REPLICATE)
    half = cv2.resize(even, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sharp = _sharpened(np.asarray(half, np.uint8), Blur(blur.width / 2, blur.noise), ink_is_dark)
    if blur.width >= _WIDE:
        return Sheet.all_of(np.ascontiguousarray(sharp[: (height + 1) // 2, : (width + 1) // 2])), 2
    large = cv2.resize(sharp, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    return Sheet.all_of(np.ascontiguousarray(large[:height, :width], np.uint8)), 1


def _has_strokes(small: Grey, ink_is_dark: bool) -> bool:
    """Whether anything differs from the paper on both its sides."""
    side = max(3, int(min(small.shape) * _STROKE)) | 1
    how = cv2.MORPH_BLACKHAT if ink_is_dark else cv2.MORPH_TOPHAT
    apart = np.asarray(cv2.morphologyEx(small, how, np.ones((side, side), np.uint8)), np.uint8)
    inner = apart[side:-side, side:-side]  # where a shadow meets the picture's edge it is narrow too
    return bool(inner.size and inner.max() >= _SHOWS)


def blur_of(grey: Grey) -> Blur | None:
    """How far a picture is out of focus; None where it is not, or too noisy to tell."""
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
    """The mean power of each band of frequencies along rows and columns, from the lowest."""
    bands = round(0.5 / _BAND)
    total = np.zeros(bands)
    for lines in (grey, turned(grey)):
        apart = max(1, len(lines) // _RUNS)
        some = lines[apart // 2 :: apart, : lines.shape[1] // 2 * 2].astype(np.float32)
        power = (cv2.dct(some, flags=cv2.DCT_ROWS) ** 2).mean(axis=0)
        band = np.minimum((np.arange(len(power)) / (2 * len(power) * _BAND)).astype(int), bands - 1)
        total += np.bincount(band, power, bands) / np.bincount(band, minlength=bands)
    return total


def _sharpened(grey: Grey, blur: Blur, ink_is_dark: bool) -> Grey:
    """A picture of even sides with the blur undone, as far as noise lets it."""
    rows, columns = ((np.arange(side, dtype=np.float32) / (2 * side)) ** 2 for side in grey.shape)
    squared = np.add.outer(rows, columns)
    kept = cv2.exp(squared * np.float32(-2 * (math.pi * blur.width) ** 2))
    noise = _UNREST * blur.noise * cv2.pow(squared / 4, (_SHARP + 1) / 2) + _KEPT**2
    gain = kept * np.float32(1 + _KEPT**2) / (kept**2 + noise)
    found = cv2.idct(cv2.dct(grey.astype(np.float32)) * gain)
    sharp = np.asarray(np.clip(np.rint(found), 0, 255), np.uint8)
    # Beside a stroke the paper comes out lighter than it is: it is no lighter than what is near was.
    side = 2 * math.ceil(_HALO * blur.width) + 1
    near = np.ones((side, side), np.uint8)
    if ink_is_dark:
        return np.asarray(cv2.min(sharp, cv2.dilate(grey, near)), np.uint8)
    return np.asarray(cv2.max(sharp, cv2.erode(grey, near)), np.uint8)
