"""BMP: a header, and rows of pixels as they are or run-length coded."""

from __future__ import annotations

import struct

from service.pictures.kinds.file import PictureFile, damaged

_HEADER = 14  # bytes before the header that says the size
_OLD_HEADER = 12  # bytes of OS/2's, which knows no compression
_AS_THEY_ARE = (0, 3)  # compressions: none, and none with masks


def checked(data: bytes) -> PictureFile:
    """Raises `BadImage` where the header is cut off.

    Run lengths are not called linear: Pillow undoes them in Python, a microsecond a run.
    """
    try:
        (header,) = struct.unpack_from("<I", data, _HEADER)
        if header == _OLD_HEADER:
            width, height = struct.unpack_from("<HH", data, _HEADER + 4)
            compression = 0
        else:
            width, height, _, _, compression = struct.unpack_from("<IiHHI", data, _HEADER + 4)
    except struct.error:
        raise damaged("BMP") from None
    return PictureFile("BMP", data, width, abs(height), linear=compression in _AS_THEY_ARE)
