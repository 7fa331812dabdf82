"""Any picture as one grey layer: orientation, bit depth, palette, transparency, colour, size."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from digits.errors import ImageError

Grey = NDArray[np.uint8]
"""(height, width), 0 black to 255 white."""

_WORKING_PIXELS = 2_000_000  # more show no more of a digit and cost time
_COLOURFUL = 24  # grey levels that a channel differs from the lightness where there is colour
_BIT_DEPTHS = (255, 1023, 4095, 65535)  # full white of 8, 10, 12 and 16 bits
_TURNS = {3: 2, 6: 3, 8: 1, 5: 3, 7: 1}  # EXIF orientation -> quarter turns against the clock
_MIRRORED = {2: 1, 4: 0, 5: 1, 7: 1}  # EXIF orientation -> axis to flip after the turn


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture reduced to one layer of grey, upright as its EXIF orientation says.

    `width` and `height` are those of the upright picture; `grey` may be `shrink` times smaller.
    """

    grey: Grey
    shrink: int
    width: int
    height: int


def layer_of(image: Image.Image) -> Layer:
    """The one layer in which ink shows best; raises `ImageError` for a side of zero pixels."""
    if 0 in image.size:
        raise ImageError("The picture has a side of zero pixels: send one with at least 1x1.")
    orientation = _orientation(image)
    shrink = max(1, math.ceil(math.sqrt(image.width * image.height / _WORKING_PIXELS)))
    shrink = min(shrink, *image.size)
    grey = _upright(_grey(_plain(image), shrink), orientation)
    width, height = image.size[::-1] if orientation >= 5 else image.size
    return Layer(np.ascontiguousarray(grey), shrink, width, height)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, ValueError, SyntaxError, struct.error):
        return 1  # a broken EXIF block says nothing; the pixels may still be good
    return value if value in range(1, 9) else 1


def _upright(grey: Grey, orientation: int) -> Grey:
    grey = np.rot90(grey, _TURNS.get(orientation, 0))
    return np.flip(grey, _MIRRORED[orientation]) if orientation in _MIRRORED else grey


def _plain(image: Image.Image) -> Image.Image:
    """The same picture in mode L, RGB, RGBA or F (16 and 32 bits, in levels of 0 to 255)."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.convert("RGBA") if image.has_transparency_data else image
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image, np.float32)))
    if image.mode == "LAB":
        return image.getchannel("L")
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bits(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, top = min(0.0, float(values.min())), float(values.max())
    if low == 0 and top > 1:
        top = next((depth for depth in _BIT_DEPTHS if top <= depth), top)
    return np.asarray(np.rint((values - low) * (255 / max(top - low, 1.0))), np.uint8)


def _grey(image: Image.Image, shrink: int) -> Grey:
    """The layer that shows the ink best, averaged down `shrink` times."""
    if image.mode == "RGBA":
        least, most = image.getchannel("A").getextrema()
        if least != 255:
            return _drawn_on_nothing(image, shrink, clear=most == 0)
    if image.mode != "L":
        image = _best_channel(image)
    return _pixels(image, shrink)


def _pixels(image: Image.Image, shrink: int) -> Grey:
    return np.asarray(image.reduce(shrink) if shrink > 1 else image)


def _drawn_on_nothing(image: Image.Image, shrink: int, clear: bool) -> Grey:
    """A transparent sheet: the ink is what was painted, whatever its colour.

    Where the paint itself shows a drawing (a cut-out photo), the clear part becomes paper instead.
    """
    alpha = _pixels(image.getchannel("A"), shrink)
    if clear or not _shows_a_drawing(image):
        return np.asarray(cv2.bitwise_not(alpha), np.uint8)
    grey = _pixels(_best_channel(image), shrink)
    paper = float(np.median(grey[alpha > 127]))
    return np.asarray(paper + (grey - paper) * (alpha.astype(np.float32) / 255), np.uint8)


def _shows_a_drawing(image: Image.Image) -> bool:
    """Whether the opaque part covers most of the sheet and has light and dark in it."""
    sample = _sample(image)
    painted = sample[sample[..., 3] > 127][:, :3]
    return len(painted) > 0.5 * sample[..., 3].size and int(np.ptp(painted, axis=0).max()) > _COLOURFUL


def _sample(image: Image.Image) -> Grey:
    """About 100x100 pixels of the picture as they are, not averaged."""
    step = max(1, min(image.size) // 100)
    size = (max(1, image.width // step), max(1, image.height // step))
    return np.asarray(image.resize(size, Image.Resampling.NEAREST) if step > 1 else image)


def _best_channel(image: Image.Image) -> Image.Image:
    """Lightness, or the one channel that shows the ink much better (yellow on white, red on green)."""
    red, green, blue = cv2.split(_sample(image)[..., :3])
    spread = cv2.subtract(cv2.max(red, cv2.max(green, blue)), cv2.min(red, cv2.min(green, blue)))
    if cv2.minMaxLoc(spread)[1] < _COLOURFUL:
        return image.convert("L")
    lightness = np.asarray(Image.fromarray(cv2.merge([red, green, blue])).convert("L"))
    contrast = [1.3 * _contrast(lightness), *(_contrast(np.asarray(c, np.uint8)) for c in (red, green, blue))]
    best = int(np.argmax(contrast))
    return image.convert("L") if best == 0 else image.getchannel(best - 1)


def _contrast(sample: Grey) -> float:
    """How far ink stands out from what is around it, in units of the paper's own unrest."""
    window = max(3, min(sample.shape) // 4) | 1
    apart = cv2.absdiff(sample, cv2.medianBlur(sample, min(window, 255)))
    return float(np.percentile(apart, 99)) / (4 + float(np.median(apart)))
