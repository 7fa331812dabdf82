"""Converts any picture to 8-bit pixels, whatever its Pillow mode, bit depth, palette and EXIF orientation."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from digits.errors import ImageError
from digits.ink.sheet import Grey

Pixels = NDArray[np.uint8]
"""(height, width, 3 or 4): red, green, blue and opacity."""

Picture = Image.Image | Pixels | Grey
"""A Pillow image in any mode, or uint8 pixels: (height, width) grey, or (height, width, 3 or 4)."""

_BIT_DEPTHS = (255, 1023, 4095, 65535)  # white in 8, 10, 12 and 16 bits
_TURNS = {3: 2, 6: 3, 8: 1, 5: 3, 7: 1}  # EXIF orientation -> anticlockwise quarter turns
_MIRRORED = {2: 1, 4: 0, 5: 1, 7: 1}  # EXIF orientation -> axis to flip after the turn


def stored(picture: Picture) -> tuple[int, Pixels | Grey]:
    """A picture's EXIF orientation, and its pixels as they are stored, before this orientation is applied.

    Raises `ImageError` for a side of zero pixels, a missing palette, damaged colours, and arrays that are not
    pictures.
    """
    if isinstance(picture, Image.Image):
        _check_size(*picture.size)
        if picture.mode == "P" and picture.palette is None:
            raise ImageError("The picture's palette is missing. Save the picture again.")
        try:
            return _orientation(picture), np.asarray(_plain(picture))
        except (ValueError, OSError) as error:  # a palette that does not match the table of opacities
            raise ImageError(f"The picture's colours are damaged ({error}). Save it again.") from error
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,), (4,)):
        raise ImageError(
            f"An array of {picture.dtype} with shape {picture.shape} is not a picture. "
            "It must be uint8 with shape (height, width), or with 3 or 4 channels."
        )
    _check_size(*picture.shape[:2])
    return 1, np.ascontiguousarray(picture)


def _check_size(*sides: int) -> None:
    if 0 in sides:
        raise ImageError("The picture has a side of zero pixels. Send a picture of at least 1x1 pixels.")


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, ValueError, SyntaxError, struct.error):
        return 1  # the EXIF block is damaged, but the pixels may still be good
    return value if value in range(1, 9) else 1


def upright(pixels: Pixels | Grey, orientation: int) -> Pixels | Grey:
    """Pixels rotated and mirrored according to the EXIF orientation (1 to 8)."""
    pixels = np.rot90(pixels, _TURNS.get(orientation, 0))
    return np.flip(pixels, _MIRRORED[orientation]) if orientation in _MIRRORED else pixels


def _plain(image: Image.Image) -> Image.Image:
    """The same picture in mode L, RGB or RGBA, with 16 and 32 bits scaled to 0..255."""
    if image.mode == "RGBA" or (image.mode in ("L", "RGB") and not image.has_transparency_data):
        return image
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
        top = min((white for white in _BIT_DEPTHS if top <= white), default=top)
    return np.asarray(np.rint((values - low) * (255 / max(top - low, 1.0))), np.uint8)
