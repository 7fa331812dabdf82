"""Small hostile pictures that would cost much to decode, for the tests and the fuzzer.

Each function takes the approximate size in bytes. The files are not broken, but costly.
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
    """A JPEG of one grey square with many empty scans; `frame` is its marker."""

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
    """A Huffman table with one code of one bit."""
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
    """A TIFF whose directory entries all point at the same bytes, nearly the whole file."""

    def make(size: int) -> bytes:
        fields = {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: SIDE, 279: SIDE * SIDE}
        rows = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items()]
        rows += [struct.pack("<HHII", 40_000 + tag, 1, size - 16, 8) for tag in range(entries)]
        head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + bytes(4)
        return head.ljust(size, b"\xff")

    return make


def tiff_of_strips(size: int) -> bytes:
    """A TIFF with as many strips as fit, all at the same offset."""
    strips = size // 16
    fields = {256: 1, 257: 9999, 258: 8, 259: 1, 262: 1, 277: 1, 278: 1}
    rows = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items()]
    at = 8 + 2 + 12 * (len(rows) + 2) + 4
    rows.insert(5, struct.pack("<HHII", 273, 4, strips, at))
    rows.append(struct.pack("<HHII", 279, 4, strips, at + 4 * strips))
    head = b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + bytes(4)
    return head + struct.pack("<I", 8) * strips + struct.pack("<I", size) * strips


def tiff_with_sub_directory(tag: int) -> Make:
    """A TIFF with a sub-directory, for EXIF or GPS, whose entries point at the same bytes."""

    def make(size: int) -> bytes:
        fields = _plain_tiff_fields() | {tag: 200}
        inner = [struct.pack("<HHII", 1 + number, 1, size - 16, 8) for number in range((size - 300) // 400)]
        head = _tiff([struct.pack("<HHII", field, 4, 1, value) for field, value in sorted(fields.items())])
        return (head.ljust(200, b"\0") + struct.pack("<H", len(inner)) + b"".join(inner)).ljust(size, b"\xff")

    return make


def tiff_of_overlapping_strips(size: int) -> bytes:
    """A TIFF whose strips overlap in nearly the whole picture, with lengths of 0."""
    side = min(5000, int((6 * size) ** 0.5))
    strips = 60
    fields = {256: side, 257: side, 258: 1, 259: 1, 262: 1, 277: 1, 278: side - 1}
    rows = [struct.pack("<HHII", field, 4, 1, value) for field, value in fields.items()]
    at = 8 + 2 + 12 * (len(rows) + 2) + 4
    rows.insert(5, struct.pack("<HHII", 273, 4, strips, at))
    rows.append(struct.pack("<HHII", 279, 4, strips, at + 4 * strips))
    return _tiff(rows) + struct.pack("<I", 8) * strips + bytes(4 * strips) + bytes(size)


def tiff_of_one_tile(size: int) -> bytes:
    """A small TIFF with one tile that decompresses to a thousand times the file, and legitimate strips."""
    packed = zlib.compress(bytes(min(900 * size, 2**28)))
    side = 2**14
    fields = _plain_tiff_fields() | {256: 16, 257: 16, 259: 8, 278: 16, 279: 100, 322: side, 323: side}
    rows = [struct.pack("<HHII", field, 4, 1, value) for field, value in fields.items()]
    at = 8 + 2 + 12 * (len(rows) + 2) + 4
    rows += [struct.pack("<HHII", 324, 4, 1, at), struct.pack("<HHII", 325, 4, 1, len(packed))]
    return _tiff(sorted(rows, key=lambda row: struct.unpack_from("<H", row))) + packed


def tiff_of_repeated_tags(size: int) -> bytes:
    """A TIFF with two lists of strips: a long one with one offset, and a legitimate one."""
    strips = min(900, size // 16)
    fields = [(256, strips), (257, strips), (258, 8), (259, 32773), (262, 1)]
    at = 8 + 2 + 12 * 11 + 4
    first = [(273, strips, at), (277, 1, 1), (278, 1, 1), (279, strips, at + 4 * strips)]
    last = [(273, strips, at), (279, strips, at + 8 * strips)]
    rows = [struct.pack("<HHII", field, 4, 1, value) for field, value in fields]
    rows += [struct.pack("<HHII", field, 4, count, value) for field, count, value in (*first, *last)]
    pixels = at + 12 * strips
    lists = struct.pack("<I", pixels) * strips + struct.pack("<I", size) * strips + bytes(4 * strips)
    return _tiff(rows) + lists + b"\x80" * size


def tiff_of_fractions(size: int) -> bytes:
    """A TIFF whose resolution has as many fractions as fit."""
    fields = _plain_tiff_fields()
    rows = [struct.pack("<HHII", field, 4, 1, value) for field, value in sorted(fields.items())]
    rows.append(struct.pack("<HHII", 282, 5, (size - 200) // 8, 200))
    return _tiff(rows).ljust(200, b"\0") + b"\1\0\0\0" * (size // 4)


def _plain_tiff_fields() -> dict[int, int]:
    return {256: SIDE, 257: SIDE, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: SIDE, 279: SIDE * SIDE}


def _tiff(rows: list[bytes]) -> bytes:
    return b"II*\0" + struct.pack("<IH", 8, len(rows)) + b"".join(rows) + bytes(4)


def jpeg_of_fill(before: bytes, after: bytes) -> Make:
    """A JPEG with as many fill bytes as fit, before a marker."""

    def make(size: int) -> bytes:
        small = encoded(Image.effect_noise((SIDE, SIDE), 60), "JPEG")
        at = small.index(before) + len(before)
        return small[:at] + b"\xff" * size + after + small[at:]

    return make


def jpeg_with_hidden_frame(size: int) -> bytes:
    """A JPEG with a segment of the invalid length 0, so that some decoders find another frame."""
    small = encoded(Image.new("L", (SIDE, SIDE), 255), "JPEG")
    hidden = jpeg_of_scans(0xC2, 5000)(min(size, 65_000))[2:]
    return small[:2] + b"\xff\xe0\0\0" + b"\xff\xe1" + struct.pack(">H", 2 + len(hidden)) + hidden + small[2:]


def webp_with_directory(size: int) -> bytes:
    """A WebP with EXIF data whose entries point at the same bytes."""
    exif = tiff_of_entries(900)(size)
    return encoded(Image.new("L", (SIDE, SIDE), 255), "WEBP", exif=exif)


def palette_with_too_many_opacities(size: int) -> bytes:
    """A palette PNG with more opacities than colours."""
    small = encoded(Image.effect_noise((SIDE, SIDE), 60).convert("P"), "PNG")
    at = small.index(b"IDAT") - 4
    return small[:at] + chunk(b"tRNS", b"\x7f" * max(300, size)) + small[at:]


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
    """A PNG whose pixels begin after as many empty deflate blocks as fit."""
    packed = zlib.compressobj(wbits=-15)
    pixels = (b"\0" + b"\xff" * SIDE) * SIDE
    stream = b"\x78\x9c" + b"\0\0\0\xff\xff" * (size // 5) + packed.compress(pixels) + packed.flush()
    content = stream + struct.pack(">I", zlib.adler32(pixels))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", content) + chunk(b"IEND")


def bmp_of_runs(size: int) -> bytes:
    """A run-length encoded BMP with runs of one pixel."""
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
    """A PNG with a chunk that decompresses to a thousand times its size."""
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
    "WebP with a directory": webp_with_directory,
    "JPEG of fill before its head": jpeg_of_fill(b"\xff\xd8", b"\0"),
    "JPEG of fill in its scan": jpeg_of_fill(b"\0\x3f\0", b"\0"),
    "JPEG of fill before its end": jpeg_of_fill(b"\0\x3f\0", b"\xd9"),
    "JPEG of tables": jpeg_of_segments(0xDB, (b"\0" + b"\1" * 64) * 1000),
    "JPEG of frames": jpeg_of_segments(0xC0, struct.pack(">BHHB", 8, SIDE, SIDE, 255) + b"\1\x11\0" * 20_000),
    "JPEG with a hidden frame": jpeg_with_hidden_frame,
    "TIFF with EXIF": tiff_with_sub_directory(34665),
    "TIFF with a place": tiff_with_sub_directory(34853),
    "TIFF of overlapping strips": tiff_of_overlapping_strips,
    "TIFF of one tile": tiff_of_one_tile,
    "TIFF of repeated tags": tiff_of_repeated_tags,
    "TIFF of fractions": tiff_of_fractions,
    "palette with too many opacities": palette_with_too_many_opacities,
}
"""Functions that make files of any size from some hundred bytes to 20 MiB."""

ONLY_LARGE: dict[str, Make] = {
    "EXIF segments, long": jpeg_of_segments(0xE1, b"Exif\0\0" + bytes(14)),
    "GIF comments, whole blocks": gif_of_comments(255),
    "TIFF entries, few and long": tiff_of_entries(90),
    "PNG with long entries": lambda size: png(chunk(b"eXIf", tiff_of_entries(60)(size))),
    "text bomb": lambda size: hidden_bomb(b"zTXt", b"k\0\0")(size // 200),
    "profile bomb": lambda size: hidden_bomb(b"iCCP", b"k\0\0")(size // 200),
    "international text bomb": lambda size: hidden_bomb(b"iTXt", b"k\0\1\0\0\0")(size // 200),
}
