"""Only the pixels and the orientation are taken from legitimate files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from digits.ink.layer import layer_of
from digits.ink.pixels import stored, upright
from service.errors import BadImage, TooCostly
from service.pictures.decode import decode, opened
from service.pictures.kinds import bmp, directory, gif, jpeg, png, tiff, webp
from service.pictures.kinds.file import PictureFile
from service.pictures.png import PlainPng
from tests.service.encoding import chunk, encoded

Draw = Callable[..., Image.Image]


@pytest.fixture
def seven(draw: Draw) -> Image.Image:
    return draw("7", (80, 60), 40)


def camera_exif(orientation: int, order: str = "<") -> bytes:
    """EXIF data as a phone writes it: the maker, the location, and a thumbnail."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x0112] = orientation
    exif[0x010F] = "A maker of phones"
    exif.get_ifd(0x8769)[0x927C] = bytes(5000)
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    return exif.tobytes() + encoded(Image.new("L", (16, 12)), "JPEG")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_is_turned_upright_and_its_metadata_dropped(
    seven: Image.Image, kind: str, order: str, orientation: int
) -> None:
    data = encoded(seven, kind, exif=camera_exif(orientation, order))
    assert b"A maker of phones" in data
    picture = opened(data)
    if kind != "WEBP":
        assert b"A maker of phones" not in picture.data
    plain = layer_of(decode(encoded(seven, kind))).grey
    assert np.array_equal(layer_of(decode(data)).grey, upright(plain, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "jpeg"])
def test_a_tiff_is_turned_upright(seven: Image.Image, orientation: int, compression: str | None) -> None:
    options = {"compression": compression} if compression else {}
    data = encoded(seven, "TIFF", tiffinfo={0x0112: orientation}, **options)
    plain = layer_of(decode(encoded(seven, "TIFF", **options))).grey
    assert np.array_equal(layer_of(decode(data)).grey, upright(plain, orientation))


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_in_xmp_alone_counts(seven: Image.Image, kind: str) -> None:
    if kind == "JPEG":
        plain = encoded(seven, "JPEG")
        content = b"http://ns.adobe.com/xap/1.0/\0" + XMP
        data = plain[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(content)) + content + plain[2:]
    elif kind == "PNG":
        plain = encoded(seven, "PNG")
        data = plain[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP) + plain[33:]
    else:
        data = encoded(seven, "WEBP", xmp=XMP)
    assert layer_of(decode(data)).grey.shape == (80, 60)


def test_exif_goes_before_xmp(seven: Image.Image) -> None:
    assert layer_of(decode(encoded(seven, "WEBP", xmp=XMP, exif=camera_exif(1)))).grey.shape == (60, 80)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"])
def test_broken_exif_says_nothing(seven: Image.Image, exif: bytes) -> None:
    plain = encoded(seven, "PNG")
    data = plain[:33] + chunk(b"eXIf", exif) + plain[33:]
    assert layer_of(decode(data)).grey.shape == (60, 80)


def test_a_second_picture_after_a_jpeg_is_passed_over(seven: Image.Image) -> None:
    data = encoded(seven, "MPO", save_all=True, append_images=[Image.new("L", (9, 9))])
    assert layer_of(decode(data)).grey.shape == (60, 80)


def test_a_jpeg_with_filled_and_odd_markers_is_read(seven: Image.Image) -> None:
    data = encoded(seven, "JPEG")
    odd = data[:2] + b"\xff\xff\xff\x01junk" + data[2:]
    assert np.array_equal(layer_of(decode(odd)).grey, layer_of(decode(data)).grey)


@pytest.mark.parametrize("quality", [5, 75, 100])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_progressive_jpegs_of_programs_are_linear(quality: int, mode: str) -> None:
    noise = Image.effect_noise((600, 400), 90).convert("RGB").convert(mode)
    picture = jpeg.checked(encoded(noise, "JPEG", progressive=True, quality=quality))
    assert (picture.width, picture.height, picture.linear) == (600, 400, True)


def test_what_is_not_sure_to_be_linear_is_said_to_be_not() -> None:
    noise = Image.effect_noise((600, 400), 90)
    assert not webp.checked(encoded(noise.convert("RGB"), "WEBP", lossless=True)).linear
    assert webp.checked(encoded(noise.convert("RGB"), "WEBP")).linear
    assert webp.checked(encoded(Image.new("RGB", (600, 400)), "WEBP", lossless=True)).linear
    for compression, linear in {
        None: True,
        "tiff_lzw": True,
        "tiff_adobe_deflate": True,
        "jpeg": False,
    }.items():
        options = {"compression": compression} if compression else {}
        assert tiff.checked(encoded(noise, "TIFF", **options)).linear is linear, compression
    assert tiff.checked(encoded(noise.convert("1"), "TIFF", compression="group4")).linear
    assert bmp.checked(encoded(noise, "BMP")).linear
    assert gif.checked(encoded(noise, "GIF")).linear
    assert png.checked(encoded(noise, "PNG")).linear


def test_a_strip_used_twice_is_not_linear() -> None:
    data = bytearray(encoded(Image.effect_noise((600, 400), 90), "TIFF", compression="tiff_lzw"))
    assert tiff.checked(bytes(data)).linear
    found = directory.read(bytes(data))
    kind, count, at = found.entries[279]
    assert (kind, count > 1) == (4, True)
    struct.pack_into("<I", data, at, len(data))
    assert not tiff.checked(bytes(data)).linear


def test_a_gif_keeps_its_transparent_colour_and_first_frame() -> None:
    first, second = Image.new("P", (30, 20), 1), Image.new("P", (30, 20), 0)
    for frame in (first, second):
        frame.putpalette([255, 255, 255, 0, 0, 0])
    first.paste(0, (5, 5, 15, 15))
    data = encoded(first, "GIF", transparency=0, comment=b"hello" * 99)
    data = data[:-1] + encoded(second, "GIF")[19:]
    picture = gif.checked(data)
    assert b"hello" not in picture.data
    with Image.open(BytesIO(data)) as whole, Image.open(BytesIO(picture.data)) as stripped:
        assert np.array_equal(np.asarray(whole), np.asarray(stripped))
        assert whole.info["transparency"] == stripped.info["transparency"]
        with pytest.raises(EOFError):
            stripped.seek(1)


def test_a_gif_frame_larger_than_its_canvas_makes_the_picture_larger() -> None:
    data = bytearray(encoded(Image.new("P", (30, 20)), "GIF"))
    data[6:10] = struct.pack("<HH", 5, 5)
    picture = gif.checked(bytes(data))
    assert (picture.width, picture.height) == (30, 20)


@pytest.mark.parametrize("chunk_bytes", [400, 8192])
def test_a_png_in_many_chunks_is_read(chunk_bytes: int) -> None:
    noise = Image.effect_noise((900, 700), 90)
    data = encoded(noise, "PNG")
    start = data.index(b"IDAT") - 4
    packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in np.asarray(noise)))
    pieces = [packed[at : at + chunk_bytes] for at in range(0, len(packed), chunk_bytes)]
    many = data[:start] + b"".join(chunk(b"IDAT", piece) for piece in pieces) + chunk(b"IEND")
    assert np.array_equal(layer_of(decode(many)).grey, np.asarray(noise))


@pytest.mark.parametrize("header", [12, 40, 124])
def test_a_bmp_says_its_size_in_every_kind_of_header(header: int) -> None:
    if header == 12:
        data = struct.pack("<IHHHH", 12, 5, 4, 1, 24)
    else:
        data = struct.pack("<IiiHHI", header, 5, -4, 1, 24, 0)
    picture = bmp.checked(b"BM" + bytes(12) + data.ljust(header, b"\0"))
    assert (picture.width, picture.height, picture.linear) == (5, 4, True)


def test_run_lengths_are_decoded_apart() -> None:
    rows = b"\5\1\0\0" * 4 + b"\0\1"
    palette = b"".join(bytes([level, level // 2, 9, 0]) for level in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, 5, 4, 1, 8, 1, len(rows), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    data = b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + palette + rows
    picture = opened(data)
    assert isinstance(picture, PictureFile)
    assert not picture.linear
    assert stored(decode(data))[1].tolist() == [[[9, 0, 1]] * 5] * 4


@pytest.mark.parametrize(
    "check", [png.checked, jpeg.checked, gif.checked, bmp.checked, tiff.checked, webp.checked]
)
def test_what_is_cut_off_is_damaged_or_left_to_the_decoder(
    check: Callable[[bytes], PictureFile], seven: Image.Image
) -> None:
    kind = check.__module__.rpartition(".")[2].upper()
    data = encoded(seven, kind, **({"exif": camera_exif(3)} if kind in ("PNG", "JPEG", "WEBP") else {}))
    for length in range(12, len(data), max(1, len(data) // 300)):
        with suppress(BadImage):
            assert check(data[:length]).width in (80, 60, 0)


def test_a_header_that_says_another_size_than_the_decoder_finds_is_damage(seven: Image.Image) -> None:
    data = encoded(seven, "JPEG")
    frame = data.index(b"\xff\xc0")
    twice = data[:frame] + data[frame : frame + 2 + 11] + data[frame:]
    with pytest.raises(BadImage):
        decode(twice)


def test_a_plain_png_stays_plain(seven: Image.Image) -> None:
    assert isinstance(opened(encoded(seven, "PNG")), PlainPng)


def test_a_directory_of_a_big_tiff_is_read(seven: Image.Image) -> None:
    data = encoded(seven, "TIFF", big_tiff=True)
    assert data[:4] == b"II+\0"
    assert layer_of(decode(data)).grey.shape == (60, 80)


def test_a_directory_with_a_thousand_entries_is_the_most() -> None:
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, 5) for tag in (256, 257, *range(40_000, 40_998)))
    data = b"II*\0" + struct.pack("<IH", 8, 1000) + rows + bytes(4)
    assert tiff.checked(data).width == 5
    rows += struct.pack("<HHII", 50_000, 4, 1, 5)
    with pytest.raises(TooCostly):
        tiff.checked(b"II*\0" + struct.pack("<IH", 8, 1001) + rows + bytes(4))


@pytest.mark.parametrize("place", [8, 16, 28, 36])
def test_a_directory_of_a_big_tiff_that_points_beyond_all_memory_is_damage(place: int) -> None:
    """`place`: of the directory's offset, the number of entries, the number of values, or their offset."""
    data = bytearray(b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2))
    data += struct.pack("<HHQQ", 256, 4, 9, 16) + struct.pack("<HHQQ", 257, 4, 1, 5) + bytes(100)
    data[place : place + 8] = b"\xff" * 8
    with pytest.raises((BadImage, TooCostly)):
        decode(bytes(data))


def rotated_png(seven: Image.Image, kind: bytes, content: bytes) -> Image.Image:
    plain = encoded(seven, "PNG")
    decoded = decode(plain[:33] + chunk(kind, content) + plain[33:])
    assert isinstance(decoded, Image.Image)
    return decoded


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt"])
def test_exif_as_hexadecimal_text_counts(seven: Image.Image, kind: bytes) -> None:
    exif = camera_exif(6)[:5000]
    text = b"\nexif\n    %d\n" % len(exif) + exif.hex().encode() + b"\n"
    packed = b"\0" + zlib.compress(text) if kind == b"zTXt" else text
    decoded = rotated_png(seven, kind, b"Raw profile type exif\0" + packed)
    assert layer_of(decoded).grey.shape == (80, 60)


def test_a_compressed_xmp_packet_counts(seven: Image.Image) -> None:
    content = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)
    assert layer_of(rotated_png(seven, b"iTXt", content)).grey.shape == (80, 60)


@pytest.mark.parametrize("broken", ["cut off", "an entry that points beyond the end"])
def test_an_orientation_in_damaged_exif_counts(seven: Image.Image, broken: str) -> None:
    entries = struct.pack("<HHII", 0x010F, 2, 10**6, 8) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 9 if broken == "cut off" else 2) + entries
    data = encoded(seven, "JPEG", exif=exif)
    assert layer_of(decode(data)).grey.shape == (80, 60)


def test_a_tiff_with_a_broken_private_tag_is_read(seven: Image.Image) -> None:
    data = bytearray(encoded(seven, "TIFF", tiffinfo={40_000: "a word of some length"}))
    entry = bytes(data).index(struct.pack("<HH", 40_000, 2))
    struct.pack_into("<I", data, entry + 8, 2**31)
    assert np.array_equal(layer_of(decode(bytes(data))).grey, np.asarray(seven))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "I;16", "F", "I"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_tiff_written_anew_has_the_same_pixels(
    seven: Image.Image, mode: str, compression: str | None
) -> None:
    options = {"compression": compression} if compression else {}
    data = encoded(seven.convert(mode), "TIFF", **options)
    picture = tiff.checked(data)
    assert picture.linear
    assert picture.data != data
    assert np.array_equal(stored(decode(data))[1], stored(Image.open(BytesIO(data)))[1])


def test_a_jpeg_written_anew_has_the_same_pixels(seven: Image.Image) -> None:
    for mode in ("L", "RGB", "CMYK"):
        for options in ({}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}):
            data = encoded(seven.convert(mode), "JPEG", dpi=(300, 300), icc_profile=bytes(900), **options)
            assert len(opened(data).data) < len(data) - 900
            assert np.array_equal(stored(decode(data))[1], stored(Image.open(BytesIO(data)))[1])
