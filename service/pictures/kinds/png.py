"""PNG: chunks (W3C, third edition)."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

from service.pictures.kinds import orientation
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

_SIGNATURE = 8  # bytes
_CHUNK = struct.Struct(">I4s")  # length and type
_CHECKSUM = 4  # bytes
_HEADER = struct.Struct(">IIBB")  # width, height, bits per channel, colour type
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
"""The chunks that decide the pixels of the first frame."""
_XMP = b"XML:com.adobe.xmp\0"
_RAW_EXIF = b"Raw profile type exif\0"  # hexadecimal text, as ImageMagick wrote it before eXIf
_MOST_TEXT = 2**16  # bytes of text to decompress


def checked(data: bytes) -> PictureFile:
    """The checked file, without metadata.

    Raises `BadImage`, or `TooCostly` for far too many chunks or far more data than the pixels need.
    """
    kept = [data[:_SIGNATURE]]
    metadata: dict[bytes, bytes] = {}  # the first of each kind
    packed = 0
    at = _SIGNATURE
    for _ in range(most_pieces(data)):
        if at + _CHUNK.size > len(data):
            break
        length, kind = _CHUNK.unpack_from(data, at)
        body = at + _CHUNK.size
        end = body + length + _CHECKSUM
        if kind in _PIXELS:
            kept.append(data[at:end])
            packed += length if kind == b"IDAT" else 0
        elif kind == b"eXIf" or data.startswith((_XMP, _RAW_EXIF), body):
            metadata.setdefault(kind, data[body : body + length])
        if kind == b"IEND":
            break
        at = end
    else:
        raise too_costly("PNG")
    width, height, bytes_needed = _header(data)
    if packed > bytes_needed:
        raise too_costly("PNG")
    upright = orientation.stated(*_metadata(metadata))
    return PictureFile("PNG", b"".join(kept), width, height, upright, linear=True)


def _header(data: bytes) -> tuple[int, int, int]:
    """Width, height, and an upper bound of the compressed pixels in bytes."""
    try:
        _, kind = _CHUNK.unpack_from(data, _SIGNATURE)
        width, height, bits, colour = _HEADER.unpack_from(data, _SIGNATURE + _CHUNK.size)
        row = width * bits * _CHANNELS[colour] // 8 + 2
    except (struct.error, KeyError):
        raise damaged("PNG") from None
    if kind != b"IHDR":
        raise damaged("PNG")
    return width, height, 2 * row * height + 64 * 1024


def _metadata(found: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """EXIF data and the XMP packet, from the chunks that may contain them."""
    xmp = found.get(b"iTXt", b"")
    if xmp[len(_XMP) : len(_XMP) + 1] == b"\1":
        xmp = _unpacked(xmp[len(_XMP) + 4 :])
    exif = found.get(b"eXIf", b"")
    raw = found.get(b"tEXt", b"")[len(_RAW_EXIF) :] or _unpacked(
        found.get(b"zTXt", b"")[len(_RAW_EXIF) + 1 :]
    )
    if raw and not exif:
        with suppress(ValueError):
            exif = bytes.fromhex("".join(raw[:_MOST_TEXT].decode("ascii").split("\n")[3:]))
    return exif, xmp


def _unpacked(packed: bytes) -> bytes:
    """The first `_MOST_TEXT` bytes of a deflated text; empty if it is damaged."""
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(packed, _MOST_TEXT)
    return b""
