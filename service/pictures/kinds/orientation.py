"""The orientation of a photo, which is all that is read from a file's metadata."""

from __future__ import annotations

import re

from service.pictures.kinds import directory

_EXIF_HEAD = b"Exif\0\0"
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_ORIENTATION = 0x0112


def stated(exif: bytes, xmp: bytes) -> int:
    """The orientation 1 to 8 from EXIF data, or else from an XMP packet, or else 1. Both may be empty."""
    try:
        value = directory.read(exif.removeprefix(_EXIF_HEAD)).number(_ORIENTATION)
    except ValueError:  # a broken EXIF block is ignored; the pixels may still be good
        value = 0
    if value not in range(1, 9):
        found = _XMP.search(xmp)
        value = int(found[1]) if found else 1
    return value
