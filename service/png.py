"""Plain PNGs, as drawing pages write them, decoded several times faster than Pillow does.

The decoder knows nothing of what may turn or clear the pixels, so what is plain is decided here, with care.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from kornia_rs import io as codecs

from digits.picture import WORKING_PIXELS, Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8sI4sIIBBBBB4s")  # with the signature before it and its checksum
_CHUNK = struct.Struct(">I4s")  # the length of what follows, and the kind
_CHECKSUM = 4  # bytes
_MOST = 200  # chunks looked at
_HARMLESS = {b"IDAT", b"cHRM", b"gAMA", b"pHYs", b"sRGB"}  # neither turn nor clear pixels
_CHANNELS = {0: "mono", 2: "rgb", 6: "rgba"}


@dataclass(frozen=True, slots=True)
class PlainPng:
    """A plain PNG of which only the header has been read.

    Plain is what has 8 bits a channel, grey, colour or colour with opacity, at most two megapixels, and no
    EXIF, text or transparent colour. Whether its pixels are sound, only decoding shows.
    """

    data: bytes
    width: int
    height: int
    channels: str

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """The file as a plain PNG, if it is one."""
        if len(data) < _HEADER.size:
            return None
        signature, length, kind, width, height, bits, colour, *methods, _ = _HEADER.unpack_from(data)
        plain = (signature, length, kind, bits, methods) == (_SIGNATURE, 13, b"IHDR", 8, [0, 0, 0])
        if not plain or colour not in _CHANNELS or not 0 < width * height <= WORKING_PIXELS:
            return None
        return cls(data, width, height, _CHANNELS[colour]) if _changes_no_pixels(data) else None

    def pixels(self) -> Pixels | None:
        """(height, width) or with 3 or 4 channels, uint8; None where they do not decode."""
        try:
            pixels: Pixels = codecs.decode_image_png_u8(self.data, (self.height, self.width), self.channels)
        except Exception:  # it raises nothing more special
            return None
        return pixels[..., 0] if self.channels == "mono" else pixels


def _changes_no_pixels(data: bytes) -> bool:
    """Whether nothing stands between a PNG's header and its end that changes how its pixels look."""
    at = _HEADER.size
    for _ in range(_MOST):
        if at + _CHUNK.size > len(data):
            return False
        length, kind = _CHUNK.unpack_from(data, at)
        if kind not in _HARMLESS:
            return bool(kind == b"IEND")
        at += _CHUNK.size + length + _CHECKSUM
    return False
