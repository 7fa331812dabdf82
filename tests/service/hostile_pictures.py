"""Small pictures that would cost much to decode, put together by hand: for the tests and the fuzzer.

Each takes about how many bytes it may have. None is a broken file: what is wrong with them is their cost.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.service.encoding import chunk, encoded

SIDE = 280

Make = Callable[[int], bytes]


def jpeg_of_scans(frame: int, side: int) -> Make:
    """A JPEG of one grey square in scan after scan, none of which says anything; `frame` is its marker."""

    def make(size: int) -> bytes:
        head = (
            b"\xff\xd8\xff\xdb"
            + struct.pack(">HB", 67, 0)
            + bytes([1] * 64)
            + bytes([0xFF, frame])
            + struct.pack(">HBHHBBBB", 11, 8, side, side, 1, 1, 0x11, 0)
            + _huffman_table(0x00, 0)
            + _huffman_table(0x10, 0xE0)  # a run of 16,384 and more blocks without a coefficient
        )
        blocks = (-(-side // 8)) ** 2
        first = _scan(0, 0) + bytes(-(-blocks // 8))
        rest = _scan(1, 63) + b"\x7f\xff" * -(-blocks // 32767)
        rest = rest.replace(b"\xff\x7f", b"\xff\x00\x7f")
        return head + first + rest * max(2, (size - len(head) - len(first)) // len(rest)) + b"\xff\xd9"

    return make


def _huffman_table(which: int, symbol: int) -> bytes:
    """One code of one bit."""
    return b"\xff\xc4" + struct.pack(">HBB", 20, which, 1) + bytes(15) + bytes([symbol])


def _scan(first: int, last: int) -> bytes:
    return b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, first, last, 0)


def jpeg_of_segments(marker: int, content: bytes) -> Make:
    def make(size: int) -> bytes:
        small = encoded(Image.new("L", (SIDE, SIDE), 255), "JPEG")
        segment = bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content
        return small[:2] + segment * (size // len(segment)) + small[2:]

    return make


def gif_of_comments(block: int) -> Make:
    def make(size: int) -> bytes:
        small = encoded(Image.new("P", (SIDE, SIDE)), "GIF")
        head = 13 + 3 * 2 ** ((small[10] & 7) + 1) * (small[10] >> 7)
        piece = bytes([block]) + b"A" * block
        return small[:head] + b"\x21\xfe" + piece * (size // len(piece)) + b"\0" + small[head:]

    return make


def tiff_of_entries(entries: int) -> Make:
    """All entries of the directory point at the same bytes, nearly all of the file."""

    def make(size: int) -> bytes:
        fields = {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: SIDE, 279: SIDE * SIDE}
        rows = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items()]
        rows += [struct.pack("<HHII", 40_000 + tag, 1, size - 16, 8) for tag in range(entries)]
        head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + bytes(4)
        return head.ljust(size, b"\xff")

    return make


def tiff_of_strips(size: int) -> bytes:
    """As many strips as there is room for, all of them at the same place."""
    strips = size // 16
    fields = {256: 1, 257: 9999, 258: 8, 259: 1, 262: 1, 277: 1, 278: 1}
    rows = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items()]
    at = 8 + 2 + 12 * (len(rows) + 2) + 4
    rows.insert(5, struct.pack("<HHII", 273, 4, strips, at))
    rows.append(struct.pack("<HHII", 279, 4, strips, at + 4 * strips))
    head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + bytes(4)
    return head + struct.pack("<I", 8) * strips + struct.pack("<I", size) * strips


def png(before: bytes = b"", pixels: tuple[bytes, ...] = ()) -> bytes:
    packed = zlib.compress((b"\0" + b"\xff" * SIDE) * SIDE)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
        + before
        + b"".join(chunk(b"IDAT", content) for content in (*pixels, packed))
        + chunk(b"IEND")
    )


def png_of_chunks(kind: bytes, content: bytes) -> Make:
    return lambda size: png(chunk(kind, content) * (size // (12 + len(content))))


def png_padded(size: int) -> bytes:
    """The pixels begin after as many empty blocks as there is room for."""
    packed = zlib.compressobj(wbits=-15)
    pixels = (b"\0" + b"\xff" * SIDE) * SIDE
    stream = b"\x78\x9c" + b"\0\0\0\xff\xff" * (size // 5) + packed.compress(pixels) + packed.flush()
    content = stream + struct.pack(">I", zlib.adler32(pixels))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", content) + chunk(b"IEND")


def bmp_of_runs(size: int) -> bytes:
    """Run-length coded, each run one pixel long."""
    side = int((size / 2) ** 0.5)
    palette = bytes(1024)
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0)
    runs = (b"\1\0" * side + b"\0\0") * side + b"\0\1"
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + palette + runs


def webp_of_chunks(size: int) -> bytes:
    small = encoded(Image.new("L", (SIDE, SIDE), 255), "WEBP")
    body = small[12:] + b"ABCD\0\0\0\0" * (size // 8)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def hidden_bomb(kind: bytes, head: bytes) -> Make:
    """A chunk that unpacks to a thousand times its size."""
    return lambda size: png(chunk(kind, head + zlib.compress(bytes(1000 * size))))


SMALL: dict[str, Make] = {
    "progressive scans": jpeg_of_scans(0xC2, 512),
    "progressive scans, wide": jpeg_of_scans(0xC2, 1408),
    "progressive scans, as large as can be": jpeg_of_scans(0xC2, 5000),
    "arithmetic scans": jpeg_of_scans(0xCA, 5000),
    "EXIF segments": jpeg_of_segments(0xE1, b"Exif\0\0AA"),
    "JPEG comments": jpeg_of_segments(0xFE, b""),
    "GIF comments": gif_of_comments(1),
    "TIFF entries": tiff_of_entries(900),
    "TIFF entries by the thousand": tiff_of_entries(8000),
    "TIFF strips": tiff_of_strips,
    "PNG with a directory": lambda size: png(chunk(b"eXIf", tiff_of_entries(900)(size))),
    "PNG with many directories": png_of_chunks(b"eXIf", tiff_of_entries(90)(1200)),
    "PNG of empty IDATs": lambda size: png(pixels=(b"",) * (size // 12)),
    "PNG of text": png_of_chunks(b"tEXt", b"k\0"),
    "PNG of unknown chunks": png_of_chunks(b"xXxX", b""),
    "PNG of empty blocks": png_padded,
    "BMP of runs": bmp_of_runs,
    "WebP of chunks": webp_of_chunks,
}
"""For any size, from some hundred bytes to 20 MiB."""

ONLY_LARGE: dict[str, Make] = {
    "EXIF segments, long": jpeg_of_segments(0xE1, b"Exif\0\0" + bytes(14)),
    "GIF comments, whole blocks": gif_of_comments(255),
    "TIFF entries, few and long": tiff_of_entries(90),
    "PNG with long entries": lambda size: png(chunk(b"eXIf", tiff_of_entries(60)(size))),
    "text bomb": lambda size: hidden_bomb(b"zTXt", b"k\0\0")(size // 200),
    "profile bomb": lambda size: hidden_bomb(b"iCCP", b"k\0\0")(size // 200),
    "international text bomb": lambda size: hidden_bomb(b"iTXt", b"k\0\1\0\0\0")(size // 200),
}
