"""Plain PNGs, as drawing pages write them, decoded several times faster than Pillow does.

The decoder knows nothing of what may turn or clear the pixels, so what is plain is decided here, with care.
It keeps the interpreter's lock while it works, and all others waiting: what could take long is not plain.
"""

# Why it is so: docs/decisions/plain-png.md
from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Self

from kornia_rs import io as codecs

from digits.ink.pixels import Pixels
from digits.ink.sheet import Grey

_MOST_PIXELS = 1024 * 1024
_MOST_BYTES = 64 * 1024  # blocks of nothing can make a file of any length out of few pixels
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8sI4sIIBBBBB4s")  # with the signature before it and its checksum
_CHUNK = struct.Struct(">I4s")  # the length of what follows, and the kind
_CHECKSUM = 4  # bytes
_HARMLESS = {b"IDAT", b"cHRM", b"gAMA", b"pHYs", b"sRGB"}  # neither turn nor clear pixels
_CHANNELS = {0: "mono", 2: "rgb", 6: "rgba"}


@dataclass(frozen=True, slots=True)
class PlainPng:
    """A plain PNG of which only the header has been read.

    Plain is what has 8 bits a channel, grey, colour or colour with opacity, no EXIF, text or transparent
    colour, and is small: 64 KiB, one megapixel. Whether its pixels are sound, only decoding shows.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    channels: str

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """The file as a plain PNG, if it is one."""
        if not _HEADER.size <= len(data) <= _MOST_BYTES:
            return None
        signature, length, kind, width, height, bits, colour, *methods, _ = _HEADER.unpack_from(data)
        plain = (signature, length, kind, bits, methods) == (_SIGNATURE, 13, b"IHDR", 8, [0, 0, 0])
        if not plain or colour not in _CHANNELS or not 0 < width * height <= _MOST_PIXELS:
            return None
        return cls(data, width, height, _CHANNELS[colour]) if _changes_no_pixels(data) else None

    def pixels(self) -> Pixels | Grey | None:
        """The pixels, or None where they do not decode."""
        try:
            pixels: Pixels = codecs.decode_image_png_u8(self.data, (self.height, self.width), self.channels)
        except Exception:  # it raises nothing more special
            return None
        return pixels[..., 0] if self.channels == "mono" else pixels


def _changes_no_pixels(data: bytes) -> bool:
    """Whether nothing stands between a PNG's header and its end that changes how its pixels look."""
    at = _HEADER.size
    while at + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        if kind not in _HARMLESS:
            return bool(kind == b"IEND")
        at += _CHUNK.size + length + _CHECKSUM
    return False
