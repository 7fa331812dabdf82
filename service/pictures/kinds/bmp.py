"""BMP: a header, and rows of pixels, uncompressed or run-length encoded."""

from __future__ import annotations

import struct

from service.pictures.kinds.file import PictureFile, damaged

_HEADER = 14  # bytes before the header that has the size
_OLD_HEADER = 12  # bytes of OS/2's header, which has no compression
_UNCOMPRESSED = (0, 3)  # compressions: none, and none with bit masks


def checked(data: bytes) -> PictureFile:
    """The checked file; raises `BadImage` if the header is cut off.

    Run-length encoded files are not linear, because Pillow decodes them in Python, at a microsecond per run.
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
    return PictureFile("BMP", data, width, abs(height), linear=compression in _UNCOMPRESSED)
