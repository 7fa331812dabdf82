"""GIF: blocks, each cut into sub-blocks of up to 255 bytes (the specification of 1989)."""

from __future__ import annotations

from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

_HEADER = 13  # bytes: signature, canvas, and whether colours follow
_DESCRIPTOR = 10  # bytes, including the comma at the beginning
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9  # the extension with the transparent colour
_SUB_BLOCK = 128  # bytes: half of a full one


def checked(data: bytes) -> PictureFile:
    """The checked file with its first frame alone; raises `BadImage` or `TooCostly`."""
    if len(data) < _HEADER:
        raise damaged("GIF")
    blocks = _Blocks(data)
    at = _HEADER + _colours(data[10])
    head, control = data[:at], b""
    for _ in range(most_pieces(data)):
        kind = data[at] if at < len(data) else _END
        if kind == _END:
            break
        if kind == _IMAGE:
            return _first_frame(data, at, head + control, blocks)
        begin, at = at, at + 1  # other bytes are skipped, as in Pillow
        if kind == _EXTENSION:
            at = blocks.end(begin + 2)
            if data[begin + 1 : begin + 2] == bytes([_CONTROL]):
                control = data[begin:at]
    else:
        raise too_costly("GIF")
    raise damaged("GIF")


def _first_frame(data: bytes, at: int, before: bytes, blocks: _Blocks) -> PictureFile:
    descriptor = data[at : at + _DESCRIPTOR]
    if len(descriptor) < _DESCRIPTOR:
        raise damaged("GIF")
    left, top, width, height = (int.from_bytes(descriptor[i : i + 2], "little") for i in (1, 3, 5, 7))
    canvas_width, canvas_height = (int.from_bytes(data[i : i + 2], "little") for i in (6, 8))
    pixels = at + _DESCRIPTOR + _colours(descriptor[9]) + 1  # one byte is the code length
    frame = data[at : blocks.end(pixels)]
    size = max(canvas_width, left + width), max(canvas_height, top + height)
    return PictureFile("GIF", before + frame + bytes([_END]), *size, linear=True)


def _colours(flags: int) -> int:
    """Size in bytes of the colour table that follows these flags."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


class _Blocks:
    """Skips sub-blocks, and limits their number per file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = most_pieces(data, _SUB_BLOCK)

    def end(self, at: int) -> int:
        """The offset after the sub-blocks that begin at `at`; raises `TooCostly`."""
        data, size = self._data, len(self._data)
        while at < size and data[at]:
            at += data[at] + 1
            self._left -= 1
            if not self._left:
                raise too_costly("GIF")
        return at + 1
