"""TIFF: a directory with offsets into the file, and a dozen compressions of pixels."""

from __future__ import annotations

import struct

from service.pictures.kinds import directory
from service.pictures.kinds.directory import Directory, Overloaded
from service.pictures.kinds.file import PictureFile, damaged, most_pieces, too_costly

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _COLOURS = 256, 257, 258, 259, 262
_OFFSETS, _ORIENTATION, _SAMPLES, _ROWS, _BYTES, _PLANES = 273, 274, 277, 278, 279, 284
_OTHERS = (266, 292, 293, 317, 320, 338, 339)
"""Bit order, fax options, predictor, palette, types of samples."""
_TILES = {322, 323, 324, 325}
_UNPACKED = 1
_LINEAR = {_UNPACKED, 2, 3, 4, 5, 8, 32773, 32946}  # compressions: fax, LZW, deflate, PackBits
_SIMPLE_COLOURS = {0, 1, 2, 3, 5, 8}  # grey, RGB, palette, CMYK, Lab
_SEPARATE = 2  # a plane per sample
_MOST_SAMPLES = 8
_PALETTE = 3 * 2**16  # numbers of the largest palette
_TYPES = {3: "H", 4: "I"}


def checked(data: bytes) -> PictureFile:
    """The checked file with its first page; raises `BadImage`, or `TooCostly` for too large a directory.

    Pillow rotates a TIFF upright itself, so width and height are those of the upright picture.
    """
    try:
        found = directory.read(data)
    except Overloaded:
        raise too_costly("TIFF") from None
    except ValueError:
        raise damaged("TIFF") from None
    if data.startswith(b"MM\0+"):  # Pillow expects the directory elsewhere
        raise damaged("TIFF")
    size = found.number(_WIDTH), found.number(_HEIGHT)
    if found.number(_ORIENTATION) in (5, 6, 7, 8):
        size = size[::-1]
    simple = _rewritten(found)
    return PictureFile("TIFF", simple or data, *size, linear=simple is not None)


def _rewritten(found: Directory) -> bytes | None:
    """A file with these pixels alone, in consecutive strips; None if the file has features beyond that.

    Every decoder then sees the values that were checked here, and each strip once.
    """
    strips = _strips(found)
    if strips is None or not found.has_unique_tags or _TILES & found.entries.keys():
        return None
    compression = found.number(_COMPRESSION, _UNPACKED)
    if compression not in _LINEAR or found.number(_COLOURS, -1) not in _SIMPLE_COLOURS:
        return None
    if compression == _UNPACKED and sum(map(len, strips)) < _unpacked_bytes(found):
        return None  # some programs write lengths that decoders ignore
    start = 8
    places = [start]
    for strip in strips:
        places.append(places[-1] + len(strip))
    numbers = {tag: (3, found.numbers(tag, _most_numbers(tag))) for tag in (_BITS, *_OTHERS)}
    numbers |= {tag: (4, found.numbers(tag, 1)) for tag in (_WIDTH, _HEIGHT, _ROWS)}
    numbers |= {tag: (3, found.numbers(tag, 1)) for tag in (_COMPRESSION, _COLOURS, _SAMPLES, _PLANES)}
    numbers[_ORIENTATION] = (3, found.numbers(_ORIENTATION, 1))
    numbers[_OFFSETS] = (4, tuple(places[:-1]))
    numbers[_BYTES] = (4, tuple(map(len, strips)))
    try:
        entries = _entries({tag: each for tag, each in numbers.items() if each[1]}, found.order, places[-1])
    except struct.error:  # a number that does not fit
        return None
    head = (b"II*\0" if found.order == "<" else b"MM\0*") + struct.pack(found.order + "I", places[-1])
    return b"".join((head, *strips, entries))


def _strips(found: Directory) -> list[bytes] | None:
    """The strips' contents; None unless there are as many as the picture needs, all inside the file."""
    data = found.data
    width, height, samples = found.number(_WIDTH), found.number(_HEIGHT), found.number(_SAMPLES, 1)
    rows = min(height, found.number(_ROWS, height))
    if not width or not rows or not 1 <= samples <= _MOST_SAMPLES:
        return None
    planes = samples if found.number(_PLANES, 1) == _SEPARATE else 1
    wanted = -(-height // rows) * planes
    most = most_pieces(data)
    offsets, lengths = found.numbers(_OFFSETS, most), found.numbers(_BYTES, most)
    if not len(offsets) == len(lengths) == wanted or sum(lengths) > len(data):
        return None
    strips = [data[at : at + length] for at, length in zip(offsets, lengths, strict=True)]
    return strips if sum(map(len, strips)) == sum(lengths) else None


def _unpacked_bytes(found: Directory) -> int:
    """Size of the uncompressed pixels in bytes."""
    samples = found.number(_SAMPLES, 1)
    bits = found.numbers(_BITS, _MOST_SAMPLES) or (1,)
    a_pixel = sum(bits) if len(bits) == samples else bits[0] * samples
    return found.number(_HEIGHT) * (-(-found.number(_WIDTH) * a_pixel // 8))


def _most_numbers(tag: int) -> int:
    return _PALETTE if tag == 320 else _MOST_SAMPLES


def _entries(numbers: dict[int, tuple[int, tuple[int, ...]]], order: str, at: int) -> bytes:
    """A directory for offset `at`, followed by the values that do not fit into its entries."""
    entries = struct.pack(order + "H", len(numbers))
    behind = at + 2 + 12 * len(numbers) + 4
    values = b""
    for tag, (kind, each) in sorted(numbers.items()):
        content = struct.pack(f"{order}{len(each)}{_TYPES[kind]}", *each)
        entries += struct.pack(order + "HHI", tag, kind, len(each))
        if len(content) > 4:
            entries += struct.pack(order + "I", behind + len(values))
            values += content + b"\0" * (len(content) % 2)
        else:
            entries += content.ljust(4, b"\0")
    return entries + bytes(4) + values
