"""Reduces any picture to the grey layer that shows its ink best, whatever its transparency and colours."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from PIL import Image

from digits.ink.pixels import Picture, Pixels, stored, upright
from digits.ink.sheet import Grey, Sheet, histogram, written_box

WORKING_PIXELS = 2_000_000  # larger pictures are shrunk, since more pixels cost time and show no more
_COLOURFUL = 24  # least difference, of 255, of a colour's channels, and of a drawing's light and dark


GreyConversion = Callable[[Pixels], Grey]
"""Turns the pixels of a picture, or of a part of it, into the layer that shows its ink best."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture reduced to one grey layer, upright according to its EXIF orientation.

    `width` and `height` are those of the upright picture; `sheet` is `shrink` times smaller.
    """

    sheet: Sheet
    shrink: int
    width: int
    height: int

    @property
    def grey(self) -> Grey:
        """The layer as one array."""
        return self.sheet.whole


def layer_of(picture: Picture) -> Layer:
    """The layer of a picture that shows its ink best.

    Raises `ImageError` for a side of zero pixels, damaged colours, and arrays that are not pictures.
    """
    orientation, pixels = stored(picture)
    height, width = pixels.shape[:2]
    shrink = max(1, math.ceil(math.sqrt(width * height / WORKING_PIXELS)))
    shrink = min(shrink, width, height)
    if shrink == 1 and orientation == 1:
        return Layer(_sheet(pixels), 1, width, height)
    grey = upright(_conversion(pixels, pixels, shrink)(pixels), orientation)
    if orientation >= 5:
        width, height = height, width
    return Layer(Sheet.all_of(np.ascontiguousarray(grey)), shrink, width, height)


def _sheet(pixels: Pixels) -> Sheet:
    """The picture as a sheet. Only its written part and one pixel of the paper are converted to grey."""
    left, top, right, bottom = written_box(pixels)
    part = pixels[top:bottom, left:right]
    convert = _conversion(pixels, part)
    height, width = pixels.shape[:2]
    return Sheet(convert(part), left, top, width, height, int(convert(pixels[:1, :1])[0, 0]))


def _conversion(pixels: Pixels, part: Pixels, shrink: int = 1) -> GreyConversion:
    """The conversion to the layer that shows the ink best, `shrink` times smaller.

    `part` has every colour of the picture. It is smaller, so it is examined first.
    """
    if pixels.ndim == 2:
        return partial(_smaller, shrink=shrink)
    best: GreyConversion | None = None
    if pixels.shape[2] == 4:
        colours = part.view("<u4").ravel()  # red is in the lowest byte, opacity in the highest
        if int(np.bitwise_and.reduce(colours)) >> 24 < 255:
            return _transparent(pixels, shrink)
        if not int(np.bitwise_or.reduce(colours ^ (colours >> np.uint32(8)))) & 0xFFFF:
            best = _lightness  # because red, green and blue are equal everywhere
    best = best or _best_channel(pixels)
    return lambda some: _smaller(best(some), shrink)


def _smaller(grey: Grey, shrink: int) -> Grey:
    return np.asarray(Image.fromarray(grey).reduce(shrink)) if shrink > 1 else grey


def _transparent(pixels: Pixels, shrink: int) -> GreyConversion:
    """The conversion for a transparent picture: ink is everything opaque, whatever its colour.

    If the opaque part itself shows a drawing (a cut-out photo), the transparent part becomes paper instead.
    """
    if not _shows_a_drawing(pixels):
        return lambda some: np.asarray(cv2.bitwise_not(_opacity(some, shrink)), np.uint8)
    best = _best_channel(pixels)
    paper = float(np.median(_smaller(best(pixels), shrink)[_opacity(pixels, shrink) > 127]))

    def laid_on_paper(some: Pixels) -> Grey:
        grey, opacity = _smaller(best(some), shrink), _opacity(some, shrink)
        return np.asarray(paper + (grey - paper) * (opacity.astype(np.float32) / 255), np.uint8)

    return laid_on_paper


def _opacity(pixels: Pixels, shrink: int) -> Grey:
    return _smaller(_channel(pixels, 3), shrink)


def _shows_a_drawing(pixels: Pixels) -> bool:
    """Whether the opaque part covers most of the picture and contains both light and dark colours."""
    sample = _sample(pixels)
    opaque = np.asarray(cv2.threshold(cv2.extractChannel(sample, 3), 127, 1, cv2.THRESH_BINARY)[1], np.uint8)
    if 2 * cv2.countNonZero(opaque) <= opaque.size:
        return False
    return int(np.ptp(sample[opaque > 0][:, :3], axis=0).max()) > _COLOURFUL


def _sample(pixels: Pixels) -> Pixels:
    """About 100x100 pixels of the picture, picked without averaging."""
    height, width = pixels.shape[:2]
    step = max(1, min(height, width) // 100)
    size = (max(1, width // step), max(1, height // step))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _best_channel(pixels: Pixels) -> GreyConversion:
    """Lightness, or the channel that shows the ink much better (yellow on white, red on green)."""
    sample = _sample(pixels)
    red, green, blue = cv2.split(sample)[:3]
    spread = cv2.subtract(cv2.max(red, cv2.max(green, blue)), cv2.min(red, cv2.min(green, blue)))
    if cv2.minMaxLoc(spread)[1] < _COLOURFUL:
        return _lightness
    channels = [np.asarray(channel, np.uint8) for channel in (red, green, blue)]
    contrast = [1.3 * _contrast(_lightness(sample)), *map(_contrast, channels)]
    best = int(np.argmax(contrast))
    return _lightness if best == 0 else partial(_channel, number=best - 1)


def _channel(pixels: Pixels, number: int) -> Grey:
    return np.asarray(cv2.extractChannel(pixels, number), np.uint8)


def _lightness(pixels: Pixels) -> Grey:
    """Luma according to ITU-R BT.601."""
    how = cv2.COLOR_RGBA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_RGB2GRAY
    return np.asarray(cv2.cvtColor(pixels, how), np.uint8)


def _contrast(sample: Grey) -> float:
    """The contrast between ink and its surroundings, relative to the noise of the paper."""
    window = max(3, min(sample.shape) // 4) | 1
    apart = cv2.absdiff(sample, cv2.medianBlur(sample, min(window, 255)))
    reached = histogram(np.asarray(apart, np.uint8)).cumsum()
    usual, strong = np.searchsorted(reached, np.array([0.5, 0.99]) * reached[-1])
    return float(strong) / (4 + float(usual))
