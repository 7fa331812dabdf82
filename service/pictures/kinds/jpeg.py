"""JPEG: segments that begin with markers, and scans of pixels (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from service.pictures.kinds import orientation
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

MOST_SCANS = 100  # programs write about ten, the most thorough some twenty
MOST_SCANNED_PIXELS = 500_000_000  # of all scans together: twenty of the largest picture that is taken

_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_MARKER_IN_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # RST0 to RST7 belong to the scan
_BARE = {0x01, *range(0xD0, 0xDA)}  # markers without a length
_SEQUENTIAL_FRAMES = {0xC0, 0xC1}
_HUFFMAN_FRAMES = _SEQUENTIAL_FRAMES | {
    0xC2
}  # the other codes take as long for pixels of which nothing is sent
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JFIF, _METADATA, _ADOBE = 0xE0, 0xE1, 0xEE  # APP0, APP1, APP14; the last says which colours these are
_TABLES = {0xC4, 0xCC, 0xDB, 0xDD}
_KEPT = _FRAMES | _TABLES | {_JFIF, _ADOBE}
_SCAN = 0xDA
_EXIF, _XMP = b"Exif\0\0", b"http:/"  # how the two kinds of metadata begin


def checked(data: bytes) -> PictureFile:
    """The first picture of the file, without metadata; raises `BadImage` or `TooCostly`.

    Each scan of a progressive JPEG passes over all pixels, and may take a dozen bytes.
    """
    kept = [data[:2]]
    metadata: dict[bytes, bytes] = {}  # the first of each kind
    frame: tuple[int, int, int, int] | None = None
    try:
        for marker, begin, body, end in _segments(data):
            if marker in _FRAMES:
                frame = marker, *struct.unpack_from(">xHHB", data, body)
            if marker in _KEPT:
                kept.append(data[begin:end])
            elif marker == _METADATA:
                metadata.setdefault(data[body : body + 6], data[body:end])
            elif marker == _SCAN:
                kept.append(data[begin:])
                break
        else:
            raise damaged("JPEG")
        components_in_scan = data[body]
    except (struct.error, IndexError):
        raise damaged("JPEG") from None
    if frame is None:
        raise damaged("JPEG")
    kind, height, width, components = frame
    if kind not in _SEQUENTIAL_FRAMES or components_in_scan < components:
        _check_scans(data, begin, width * height)
    linear = kind in _HUFFMAN_FRAMES
    upright = orientation.stated(metadata.get(_EXIF, b""), metadata.get(_XMP, b""))
    return PictureFile("JPEG", b"".join(kept), width, height, upright, linear)


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Every segment's marker, where it begins, where what it holds begins, and where that ends."""
    at = 2
    for _ in range(most_pieces(data)):
        found = _MARKER.search(data, at)
        if found is None:
            return
        marker, at = found[1][0], found.end()
        if marker in _BARE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        yield marker, at - 2, at + 2, at + length
        at += max(2, length)
    raise too_costly("JPEG")


def _check_scans(data: bytes, at: int, pixels: int) -> None:
    """Raises `TooCostly` for more scans, or other segments among them, than an honest file has."""
    scans = 0
    most_scans = min(MOST_SCANS, MOST_SCANNED_PIXELS // max(1, pixels))
    for pieces, found in enumerate(_MARKER_IN_SCAN.finditer(data, at)):
        scans += found[1][0] == _SCAN
        if scans > most_scans or pieces > most_pieces(data):
            raise too_costly("JPEG")
