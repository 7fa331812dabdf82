"""A fast decoder for plain PNGs, as drawing pages write them: several times as fast as Pillow.

The decoder ignores everything that could rotate pixels or make them transparent, so this module checks
carefully which files are plain. It holds the GIL while it decodes, so only small files qualify.
"""

# See docs/decisions/plain-png.md.
from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Self

from kornia_rs import io as codecs

from digits.ink.pixels import Pixels
from digits.ink.sheet import Grey

_MOST_PIXELS = 1024 * 1024
_MOST_BYTES = 64 * 1024  # a file with few pixels can be of any length, for example with empty blocks
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8sI4sIIBBBBB4s")  # including the signature and the checksum
_CHUNK = struct.Struct(">I4s")  # length and type
_CHECKSUM = 4  # bytes
_HARMLESS = {
    b"IDAT",
    b"cHRM",
    b"gAMA",
    b"pHYs",
    b"sRGB",
}  # these neither rotate pixels nor make them transparent
_CHANNELS = {0: "mono", 2: "rgb", 6: "rgba"}


@dataclass(frozen=True, slots=True)
class PlainPng:
    """A plain PNG of which only the header has been read.

    A plain PNG has 8 bits per channel in grey, RGB or RGBA, has no EXIF data, text or transparent colour, and
    is small: at most 64 KiB and one megapixel. Its pixels may still be damaged.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    channels: str

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """The file as a plain PNG, or None if it is not one."""
        if not _HEADER.size <= len(data) <= _MOST_BYTES:
            return None
        signature, length, kind, width, height, bits, colour, *methods, _ = _HEADER.unpack_from(data)
        plain = (signature, length, kind, bits, methods) == (_SIGNATURE, 13, b"IHDR", 8, [0, 0, 0])
        if not plain or colour not in _CHANNELS or not 0 < width * height <= _MOST_PIXELS:
            return None
        return cls(data, width, height, _CHANNELS[colour]) if _changes_no_pixels(data) else None

    def pixels(self) -> Pixels | Grey | None:
        """The pixels as uint8, (height, width) for grey, else (height, width, 3 or 4); None if damaged."""
        try:
            pixels: Pixels = codecs.decode_image_png_u8(self.data, (self.height, self.width), self.channels)
        except Exception:  # the decoder raises no narrower type
            return None
        return pixels[..., 0] if self.channels == "mono" else pixels


def _changes_no_pixels(data: bytes) -> bool:
    """Whether a PNG has no chunk between its header and its end that changes how its pixels look."""
    at = _HEADER.size
    while at + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        if kind not in _HARMLESS:
            return bool(kind == b"IEND")
        at += _CHUNK.size + length + _CHECKSUM
    return False
