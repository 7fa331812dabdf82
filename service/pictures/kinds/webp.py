"""WebP: chunks in a RIFF container (RFC 9649)."""

from __future__ import annotations

import struct

from service.pictures.kinds import orientation
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

_CHUNK = struct.Struct("<4sI")  # type and length
_FIRST_CHUNK = 12  # bytes of the container's header
_MAYBE_LOSSLESS = {b"VP8L", b"ALPH", b"ANMF"}  # pixels, alpha, a frame with either
_MOST_CODE_GROUPS = 5000  # each takes up to 21 KB in libwebp
_PIXELS_A_GROUP = 16  # at least
_BITS_A_GROUP = 20  # at least: five codes of four bits


def checked(data: bytes) -> PictureFile:
    """The checked file; raises `BadImage` or `TooCostly`.

    Lossless files are linear only if the picture or the file is small, because others may request 65,536
    groups of Huffman codes and thus a gigabyte.
    """
    size: tuple[int, int] | None = None
    metadata: dict[bytes, bytes] = {}  # the first of each kind
    lossless = False
    at = _FIRST_CHUNK
    try:
        for _ in range(most_pieces(data)):
            if at + _CHUNK.size > len(data):
                break
            kind, length = _CHUNK.unpack_from(data, at)
            body = at + _CHUNK.size
            if size is None:
                size = _size(data, kind, body)
            lossless = lossless or kind in _MAYBE_LOSSLESS
            if kind in (b"EXIF", b"XMP "):
                metadata.setdefault(kind, data[body : body + length])
            at = body + length + length % 2
        else:
            raise too_costly("WEBP")
    except struct.error:
        raise damaged("WEBP") from None
    if size is None:
        raise damaged("WEBP")
    width, height = size
    code_groups = min(width * height // _PIXELS_A_GROUP, 8 * len(data) // _BITS_A_GROUP)
    linear = not lossless or code_groups <= _MOST_CODE_GROUPS
    upright = orientation.stated(metadata.get(b"EXIF", b""), metadata.get(b"XMP ", b""))
    return PictureFile("WEBP", data, width, height, upright, linear)


def _size(data: bytes, kind: bytes, body: int) -> tuple[int, int] | None:
    """Width and height, if this type of chunk has them, else None."""
    if kind == b"VP8X":
        low, high, low2, high2 = struct.unpack_from("<HBHB", data, body + 4)
        return (low | high << 16) + 1, (low2 | high2 << 16) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, body + 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, body + 6)
        return width & 0x3FFF, height & 0x3FFF
    return None
