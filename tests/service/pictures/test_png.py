"""Plain PNGs are decoded to the same pixels as by Pillow, and all others are left to Pillow."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from digits.ink.layer import layer_of
from digits.ink.pixels import Pixels
from service.errors import BadImage
from service.pictures.decode import decode
from service.pictures.png import PlainPng
from tests.service.encoding import chunk, encoded

MODES = ["L", "RGB", "RGBA"]


def picture(mode: str, size: tuple[int, int] = (31, 17)) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (*size[::-1], 4), np.uint8)
    pixels[3:8] = 255
    return Image.fromarray(pixels).convert(mode)


def by_pillow(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", [0, 1, 9])
def test_plain_pictures_have_the_pixels_that_pillow_reads(mode: str, level: int) -> None:
    data = encoded(picture(mode), compress_level=level)
    plain = PlainPng.of(data)
    assert plain is not None
    assert (plain.width, plain.height) == (31, 17)
    pixels = plain.pixels()
    assert pixels is not None
    assert np.array_equal(pixels, by_pillow(data))
    assert np.array_equal(np.asarray(decode(data)), pixels)


def test_what_only_describes_the_colours_leaves_a_picture_plain() -> None:
    data = encoded(picture("RGB"), dpi=(72, 72))
    described = data[:33] + chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 45455)) + data[33:]
    plain = PlainPng.of(described)
    assert plain is not None
    pixels = plain.pixels()
    assert pixels is not None
    assert np.array_equal(pixels, by_pillow(data))


def _turned(*, late: bool) -> bytes:
    """A picture of 31x17 with an EXIF rotation, before or after the pixels in the file."""
    exif = Image.Exif()
    exif[0x0112] = 6
    said = chunk(b"eXIf", exif.tobytes()[6:])
    data = encoded(picture("L"))
    return data[:-12] + said + data[-12:] if late else data[:33] + said + data[33:]


def _with_text() -> bytes:
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x/>")
    return encoded(picture("L"), pnginfo=text)


NOT_PLAIN = {
    "turned": _turned(late=False),
    "turned, said late": _turned(late=True),
    "text": _with_text(),
    "a transparent colour": encoded(picture("RGB"), transparency=(255, 255, 255)),
    "a palette": encoded(picture("RGB").quantize(16)),
    "1 bit": encoded(picture("1")),
    "16 bits": encoded(Image.fromarray(np.zeros((9, 9), np.uint16))),
    "grey and opacity": encoded(picture("LA")),
    "animated": encoded(picture("RGB"), save_all=True, append_images=[Image.new("RGB", (31, 17))]),
    "more than a megapixel": encoded(Image.new("L", (1025, 1024))),
    "no end": encoded(picture("L"))[:-12],
    "only a header": encoded(picture("L"))[:33],
    "a GIF": b"GIF89a" + bytes(60),
    "nothing": b"",
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_other_pictures_are_not_plain(case: str) -> None:
    assert PlainPng.of(NOT_PLAIN[case]) is None


@pytest.mark.parametrize("late", [False, True])
def test_decode_turns_what_is_to_be_turned(late: bool) -> None:
    assert layer_of(decode(_turned(late=late))).grey.shape == (31, 17)


def test_a_large_file_of_few_pixels_is_left_to_pillow() -> None:
    """It may decompress to nothing for a second, during which the decoder holds the GIL."""
    data = encoded(picture("L"))
    assert PlainPng.of(data[:33] + chunk(b"IDAT") * 5000 + data[33:]) is not None
    assert PlainPng.of(data[:33] + chunk(b"IDAT") * 6000 + data[33:]) is None


def test_pixels_that_do_not_decode_are_refused() -> None:
    data = encoded(picture("RGB"))
    damaged = data[:33] + chunk(b"IDAT", b"no zlib stream") + data[-12:]
    plain = PlainPng.of(damaged)
    assert plain is not None
    assert plain.pixels() is None
    with pytest.raises(BadImage, match="The PNG file is damaged"):
        decode(damaged)


@settings(max_examples=300, deadline=None)
@given(
    mode=st.sampled_from(MODES),
    filters=st.lists(st.integers(0, 5), min_size=17, max_size=17),
    places=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4),
)
def test_any_rows_give_what_pillow_gives(
    mode: str, filters: list[int], places: list[tuple[int, int]]
) -> None:
    width, height = 31, 17
    rows = bytearray(picture(mode, (width + 1, height)).tobytes())  # room for the filter before each row
    rows = rows[: height * (1 + width * len(mode))]
    for row, kind in enumerate(filters):
        rows[row * (1 + width * len(mode))] = kind  # there is no filter 5
    for place, value in places:
        rows[place % len(rows)] = value
    colour = {"L": 0, "RGB": 2, "RGBA": 6}[mode]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND")
    data = b"\x89PNG\r\n\x1a\n" + content
    plain = PlainPng.of(data)
    assert plain is not None
    pixels = plain.pixels()
    try:
        expected = by_pillow(data)
    except OSError:
        assert pixels is None
    else:
        assert pixels is not None
        assert np.array_equal(pixels, expected)
