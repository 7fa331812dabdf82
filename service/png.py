"""Plain PNGs, as drawing pages write them, decoded several times faster than Pillow does.

The decoder knows nothing of what may turn or clear the pixels, so what is plain is decided here, with care.
"""

from __future__ import annotations

import struct
from io import BytesIO

from kornia_rs import io as codecs
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from digits.picture import WORKING_PIXELS, Pixels

_CHANNELS = {"L": "mono", "RGB": "rgb", "RGBA": "rgba"}
_CHUNK = struct.Struct(">I4s")  # its length, which counts neither this nor the checksum, and its kind
_CHECKSUM = 4  # bytes
_HEADER = 33  # bytes: the signature and the first chunk
_MOST = 200  # chunks looked at
_HARMLESS = {b"IDAT", b"cHRM", b"gAMA", b"pHYs", b"sRGB"}  # neither turns nor clears pixels


def plain_pixels(image: Image.Image) -> Pixels | None:
    """The pixels of a plain PNG that Pillow has opened from a `BytesIO` and not yet loaded.

    None where it is not plain (8 bits a channel, grey, colour or colour with opacity, at most two megapixels,
    no EXIF, no text, no transparent colour) or does not decode: Pillow may then say why.
    """
    if not isinstance(image, PngImageFile) or image.width * image.height > WORKING_PIXELS:
        return None
    channels = _CHANNELS.get(image.mode)
    if channels is None or image.tile[0].args != image.mode or not isinstance(image.fp, BytesIO):
        return None
    data = image.fp.getvalue()
    if not _is_plain(data):
        return None
    try:
        pixels: Pixels = codecs.decode_image_png_u8(data, (image.height, image.width), channels)
    except Exception:  # it raises nothing more special
        return None
    return pixels[..., 0] if channels == "mono" else pixels


def _is_plain(data: bytes) -> bool:
    """Whether nothing comes between a PNG's header and its end that changes how its pixels look."""
    at = _HEADER
    for _ in range(_MOST):
        if at + _CHUNK.size > len(data):
            return False
        length, kind = _CHUNK.unpack_from(data, at)
        if kind not in _HARMLESS:
            return bool(kind == b"IEND")
        at += _CHUNK.size + length + _CHECKSUM
    return False
