"""TIFF: one directory that points anywhere, and a dozen ways of packing pixels."""

from __future__ import annotations

from service.pictures.kinds import directory
from service.pictures.kinds.directory import Directory, Overloaded
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

_WIDTH, _HEIGHT, _COMPRESSION, _ORIENTATION = 0x0100, 0x0101, 0x0103, 0x0112
_STRIP_OFFSETS, _STRIP_BYTES = 0x0111, 0x0117
_LINEAR_COMPRESSIONS = {1, 2, 3, 4, 5, 8, 32773, 32946}  # none, fax, LZW, deflate, PackBits


def checked(data: bytes) -> PictureFile:
    """The first page; raises `BadImage`, or `TooCostly` for a directory that is more work than a picture.

    Pillow turns a TIFF upright itself, so width and height are those of the upright picture here.
    """
    try:
        found = directory.read(data)
        size = found.number(_WIDTH), found.number(_HEIGHT)
        linear = _is_linear(found)
    except Overloaded:
        raise too_costly("TIFF") from None
    except ValueError:
        raise damaged("TIFF") from None
    if found.number(_ORIENTATION) in (5, 6, 7, 8):
        size = size[::-1]
    return PictureFile("TIFF", data, *size, linear=linear)


def _is_linear(found: Directory) -> bool:
    """Whether the pixels lie in strips that do not overlap, packed in a way that unpacks in one pass."""
    strips = found.count(_STRIP_OFFSETS)
    if not 0 < strips == found.count(_STRIP_BYTES) <= most_pieces(found.data):
        return False
    simple = found.number(_COMPRESSION, 1) in _LINEAR_COMPRESSIONS
    return simple and sum(found.numbers(_STRIP_BYTES)) <= len(found.data)
