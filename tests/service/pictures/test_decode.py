"""Pictures of every format are read, and everything else is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from digits.ink.extraction import ink_map
from digits.ink.layer import layer_of
from service.errors import BadImage, TooLarge, WrongKind
from service.pictures.decode import MAX_PIXELS, decode, loaded, opened
from tests.service.clock import least_seconds
from tests.service.encoding import chunk, encoded

# Pillow warns of oddities in broken files; they are expected here and no fault of ours.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

Draw = Callable[..., Image.Image]


def unusual(seven: Image.Image) -> dict[str, bytes]:
    """Valid but unusual pictures, as cameras, scanners and programs write them."""
    colour = seven.convert("RGB")
    frames = [seven.convert("P"), Image.new("P", seven.size)]
    clear = Image.merge("LA", (seven, seven.point(lambda level: 255 - level))).convert("RGBA")
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = Image.fromarray(np.asarray(seven, np.uint16) * 257)
    return {
        "animated GIF": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "animated WebP": encoded(colour, "WEBP", save_all=True, append_images=[Image.new("RGB", seven.size)]),
        "animated PNG": encoded(colour, "PNG", save_all=True, append_images=[Image.new("RGB", seven.size)]),
        "two pages of TIFF": encoded(seven, "TIFF", save_all=True, append_images=[Image.new("L", (9, 9))]),
        "CMYK": encoded(colour.convert("CMYK"), "JPEG"),
        "16 bits": encoded(deep, "PNG"),
        "16 bits in TIFF": encoded(deep, "TIFF"),
        "1 bit": encoded(seven.convert("1"), "PNG"),
        "transparent palette": encoded(clear.quantize(16), "PNG"),
        "transparent": encoded(clear, "WEBP", lossless=True),
        "grey and alpha": encoded(clear.convert("LA"), "PNG"),
        "progressive": encoded(seven, "JPEG", progressive=True),
        "compressed TIFF": encoded(seven, "TIFF", compression="tiff_lzw"),
        "BMP": encoded(seven, "BMP"),
        "interlaced": INTERLACED,
    }


def _interlaced() -> bytes:
    """An Adam7 PNG of one black pixel, which Pillow reads but does not write."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND")
    )


INTERLACED = _interlaced()


def test_decode_takes_unusual_pictures(draw: Draw) -> None:
    for name, data in unusual(draw("7")).items():
        assert layer_of(decode(data)).grey.shape in ((280, 280), (1, 1)), name


def test_decode_finds_the_same_ink_in_every_kind(draw: Draw) -> None:
    seven = draw("7")
    plain = ink_map(seven) > 0.5
    for name, data in unusual(seven).items():
        if name != "interlaced":
            found = ink_map(decode(data)) > 0.5
            assert (found & plain).sum() > 0.8 * (found | plain).sum(), name


@pytest.mark.parametrize(
    ("size", "kind", "times"),
    [
        ((4000, 3000), "JPEG", 4),
        ((2000, 1500), "JPEG", 2),
        ((4001, 3000), "JPEG", 1),
        ((2000, 1500), "PNG", 1),
    ],
)
def test_loaded_makes_a_large_jpeg_smaller(size: tuple[int, int], kind: str, times: int) -> None:
    image, smaller = loaded(opened(encoded(Image.new("L", size, 200), kind)))
    assert isinstance(image, Image.Image)
    assert smaller == times
    assert image.size == (size[0] // times, size[1] // times)
    assert image.getpixel((0, 0)) == 200


def test_decode_takes_thin_pictures() -> None:
    for size in ((1, 1), (1, 500), (500, 1), (10_000, 1)):
        assert layer_of(decode(encoded(Image.new("L", size), "PNG"))).grey.shape == size[::-1]


def test_decode_keeps_the_rotation_that_a_camera_noted(draw: Draw) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    data = encoded(draw("7", (300, 200)).rotate(90, expand=True), "JPEG", exif=turned)
    assert ink_map(decode(data)).shape == (200, 300)


NO_PICTURE = {
    "nothing": b"",
    "text": b"hello",
    "zeros": bytes(1000),
    "a link": b"https://example.org/seven.png",
    "a data link": b"data:image/png;base64,iVBORw0KGgo=",
    "only a head": b"\x89PNG\r\n\x1a\n",
    "a JPEG's start": b"\xff\xd8\xff\xe0",
    "a GIF without a picture": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "a BMP's start": b"BM" + bytes(60),
    "a TIFF that points nowhere": b"II*\0\xff\xff\xff\x7f",
    "a RIFF of another kind": b"RIFF\0\0\0\0WAVEfmt ",
    "no width": b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b""))
    + chunk(b"IEND"),
}


@pytest.mark.parametrize("case", NO_PICTURE)
def test_decode_refuses_what_is_no_picture(case: str) -> None:
    with pytest.raises(BadImage):
        decode(NO_PICTURE[case])


def test_decode_refuses_a_palette_that_is_missing() -> None:
    data = encoded(Image.new("P", (9, 9)), "PNG")
    at, end = data.index(b"PLTE") - 4, data.index(b"IDAT") - 4
    with pytest.raises(BadImage, match="damaged"):
        decode(data[:at] + data[end:])


OTHER_KINDS = {
    "SVG": b'\xef\xbb\xbf <?xml version="1.0"?><!-- a --><svg xmlns="http://www.w3.org/2000/svg"/>',
    "bare SVG": b"<svg/>",
    "PDF": b"%PDF-1.4",
    "HEIC": b"\0\0\0\x18ftypheic",
    "PostScript": b"%!PS-Adobe",
    "ZIP": b"PK\3\4",
    "ICO": b"\0\0\1\0",
}


@pytest.mark.parametrize("case", OTHER_KINDS)
def test_decode_names_kinds_that_are_not_taken(case: str) -> None:
    with pytest.raises(WrongKind, match=r"is not supported\. Send PNG"):
        decode(OTHER_KINDS[case])


def claims(width: int, height: int) -> dict[str, bytes]:
    """Small files whose headers claim large pictures."""
    png = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    gif = struct.pack("<HHBBB", width, height, 0, 0, 0), struct.pack("<HHHHB", 0, 0, width, height, 0)
    bmp = struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    webp = bytearray(encoded(Image.new("L", (9, 9)), "WEBP", lossless=True))
    webp[21:25] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return {
        "PNG": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", png) + chunk(b"IDAT", zlib.compress(bytes(1000))),
        "GIF": b"GIF89a" + gif[0] + b"," + gif[1] + b"\2\2\x4c\1\0;",
        "BMP": b"BM" + bmp,
        "WebP": bytes(webp),
        "TIFF": _tiff(width, height),
    }


def _tiff(width: int, height: int) -> bytes:
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 1}
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WebP", "TIFF"])
def test_decode_refuses_bombs_before_unpacking(kind: str) -> None:
    with pytest.raises(TooLarge) as refusal:
        decode(claims(16_000, 16_000)[kind])
    assert refusal.value.code == "too_many_pixels"


@pytest.mark.parametrize("size", [(100_000, 1), (1, 100_000)])
def test_decode_refuses_a_long_side(size: tuple[int, int]) -> None:
    for data in (encoded(Image.new("1", size), "PNG"), _tiff(*size)):
        with pytest.raises(TooLarge):
            decode(data)


def test_decode_refuses_a_real_bomb() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    assert len(bomb) < 10_000
    with pytest.raises(TooLarge):
        decode(bomb)


def test_decode_passes_over_hidden_text_bombs() -> None:
    bomb = zlib.compress(bytes(80_000_000), 9)
    png = encoded(Image.new("L", (9, 9)), "PNG")
    data = png[:33] + chunk(b"zTXt", b"a\0\0" + bomb) + chunk(b"iCCP", b"a\0\0" + bomb) + png[33:]
    assert layer_of(decode(data)).grey.shape == (9, 9)
    assert least_seconds(lambda: decode(data)) < 0.1 * least_seconds(lambda: zlib.decompress(bomb))
