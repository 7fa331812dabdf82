"""JPEG: segments that begin with markers, and scans of pixels (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.pictures.kinds import orientation
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

MOST_SCANS = 100  # encoders write about ten, and at most about twenty
MOST_SCANNED_PIXELS = 500_000_000  # in all scans together: 20 scans of the largest accepted picture

_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_MARKER_IN_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # RST0 to RST7 belong to the scan
_BARE = {0x01, *range(0xD0, 0xDA)}  # markers without a length
_SEQUENTIAL = {0xC0, 0xC1}
_HUFFMAN = _SEQUENTIAL | {0xC2}  # arithmetic coding costs time even for missing data
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JFIF, _METADATA, _ADOBE = 0xE0, 0xE1, 0xEE  # APP0, APP1, APP14
_CODES, _QUANTIZATION, _RESTART, _SCAN = 0xC4, 0xDB, 0xDD, 0xDA
_EXIF, _XMP = b"Exif\0\0", b"http:/"  # how the two kinds of metadata begin
_LONG_FILL = b"\xff" * 64  # fill bytes, which some decoders scan repeatedly


@dataclass(slots=True)
class _Head:
    """The segments before the first scan that decide the pixels."""

    frame: tuple[int, bytes] | None = None
    tables: dict[tuple[int, int], bytes] = field(default_factory=dict)  # by kind and number, the last of each
    others: dict[int, bytes] = field(default_factory=dict)  # by marker: JFIF, Adobe, restart interval
    metadata: dict[bytes, bytes] = field(default_factory=dict)  # the first of each kind
    scan: int = 0  # offset of the first scan's segment

    def written(self) -> bytes:
        """The segments, encoded again, so that every decoder sees the values that were checked here."""
        segments = [*self.others.items(), *((kind, table) for (kind, _), table in self.tables.items())]
        segments += [self.frame] if self.frame else []
        return b"\xff\xd8" + b"".join(
            struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content for marker, content in segments
        )


def checked(data: bytes) -> PictureFile:
    """The checked file with its first picture, without metadata; raises `BadImage` or `TooCostly`.

    The number of scans is limited, because each one decodes all pixels and may be only a dozen bytes long.
    """
    try:
        head = _head(data)
        if head.frame is None:
            raise ValueError("There is no frame.")
        kind, content = head.frame
        _, height, width, components = struct.unpack_from(">BHHB", content)
        if len(content) != 6 + 3 * components:
            raise ValueError("The frame's length is wrong.")
        if kind not in _SEQUENTIAL or data[head.scan + 4] < components:
            _check_scans(data, head.scan, width * height)
    except (struct.error, ValueError, IndexError):
        raise damaged("JPEG") from None
    if data.find(_LONG_FILL, head.scan) >= 0:
        raise too_costly("JPEG")
    upright = orientation.stated(head.metadata.get(_EXIF, b""), head.metadata.get(_XMP, b""))
    if kind not in _HUFFMAN:
        return PictureFile("JPEG", data, width, height, upright)
    return PictureFile("JPEG", head.written() + data[head.scan :], width, height, upright, linear=True)


def _head(data: bytes) -> _Head:
    """Everything up to the first scan; raises `ValueError` or `TooCostly`."""
    head = _Head()
    for marker, begin, content in _segments(data, 2, _MARKER):
        if marker == _SCAN:
            head.scan = begin
            return head
        if marker in _FRAMES:
            if head.frame is not None:
                raise ValueError("There are two frames.")
            head.frame = marker, content
        elif marker in (_CODES, _QUANTIZATION):
            for number, table in _tables(marker, content):
                head.tables[marker, number] = table
        elif marker == _RESTART:
            head.others[marker] = content[:2]
        elif marker == _JFIF and content.startswith(b"JFIF\0") and len(content) >= 14:
            head.others[marker] = content[:12] + b"\0\0"  # without its thumbnail
        elif marker == _ADOBE and content.startswith(b"Adobe"):
            head.others[marker] = content[:12]  # the last byte is the colour transform
        elif marker == _METADATA:
            head.metadata.setdefault(content[:6], content)
    raise ValueError("There is no scan.")


def _segments(data: bytes, at: int, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Marker, offset and content of every segment.

    Raises `ValueError` for one that is cut off, and `TooCostly` for more than a legitimate file has.
    """
    for _ in range(most_pieces(data)):
        found = pattern.search(data, at)
        if found is None:
            return
        marker, at = found[1][0], found.end()
        if marker in _BARE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2 or at + length > len(data):
            raise ValueError("A segment is cut off.")
        yield marker, at - 2, data[at + 2 : at + length]
        at += length
    raise too_costly("JPEG")


def _tables(marker: int, content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of every table of a segment; raises `ValueError` if one is cut off."""
    at = 0
    while at < len(content):
        number = content[at]
        if marker == _QUANTIZATION:
            size, number = 1 + 64 * (1 + (number >> 4)), number & 15
        else:
            size = 17 + sum(content[at + 1 : at + 17])
        if at + size > len(content):
            raise ValueError("A table is cut off.")
        yield number, content[at : at + size]
        at += size


def _check_scans(data: bytes, at: int, pixels: int) -> None:
    """Raise `TooCostly` for more scans than a legitimate file has."""
    scans = 0
    most_scans = min(MOST_SCANS, MOST_SCANNED_PIXELS // max(1, pixels))
    for marker, _, _ in _segments(data, at, _MARKER_IN_SCAN):
        scans += marker == _SCAN
        if scans > most_scans:
            raise too_costly("JPEG")
