"""From the bytes that a client sent to a picture, within limits.

Which kind it is, the bytes say: neither a file name nor a content type is believed. Nothing is
unpacked before the size that it claims has been checked.
"""

# Why it is so: docs/decisions/decode.md
from __future__ import annotations

import math
import warnings
from functools import cache
from io import BytesIO

from PIL import ExifTags, Image

from digits.ink.layer import WORKING_PIXELS
from digits.ink.pixels import Picture
from service.errors import BadImage, TooManyPixels, WrongKind
from service.pictures.kinds import bmp, gif, jpeg, png, tiff, webp
from service.pictures.kinds.file import PictureFile, damaged
from service.pictures.png import PlainPng
from service.pictures.sandbox import Sandbox

MAX_PIXELS = 25_000_000  # a 24-megapixel photo, with a little room
MAX_SIDE = 10_000  # pixels
PHOTO_PIXELS = 2_000_000  # more is read on a thread that yields to the others
PHOTO_NICENESS = 17  # with less, others wait longer beside photos; with 19, photos themselves
# (docs/decisions/photos.md has both figures)

_CHECKS = {
    "PNG": png.checked,
    "JPEG": jpeg.checked,
    "WEBP": webp.checked,
    "BMP": bmp.checked,
    "GIF": gif.checked,
    "TIFF": tiff.checked,
}

TAKEN = "PNG, JPEG, WebP, BMP, GIF or TIFF"

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_NOT_TAKEN = (
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\0\x0cjP", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL", "JPEG XL"),
    (b"PK\3\4", "ZIP"),
    (b"\x1f\x8b", "gzip"),
)

Opened = PlainPng | PictureFile
"""A picture that has been looked through, its pixels still packed."""

# Pillow warns of more than 89 megapixels and raises at twice that: both are refused alike.
warnings.simplefilter("error", Image.DecompressionBombWarning)

_KEPT = ("transparency",)  # of what Pillow knows of a picture: the rest is metadata

_sandbox = Sandbox()
_photo_sandbox = Sandbox(PHOTO_NICENESS)


def decode(data: bytes) -> Picture:
    """The first frame of a picture, decoded whole; raises what `opened` and `loaded` raise."""
    return loaded(opened(data))[0]


def opened(data: bytes) -> Opened:
    """A picture that has been looked through: how large it is, and that decoding it costs no more than that.

    Raises `BadImage` for bytes that are no picture, `WrongKind` for a recognised kind that is not
    taken, `TooManyPixels` for more than `MAX_PIXELS` pixels or a side above `MAX_SIDE`, `TooCostly` for a
    file whose structure makes it more work than its pixels.
    """
    picture = PlainPng.of(data) or _CHECKS[_kind(data)](data)
    _check_size(picture.width, picture.height)
    return picture


def loaded(picture: Opened) -> tuple[Picture, int]:
    """The picture with its pixels decoded, and how many times smaller: large JPEGs are made so on the way.

    A half, a quarter or an eighth of its size costs half the time, and `digits` looks at no more than two
    megapixels anyway. Raises `BadImage` where the pixels do not decode, `TooCostly` or `Busy` where that
    takes more than the sandbox allows.
    """
    if isinstance(picture, PlainPng):
        pixels = picture.pixels()
        if pixels is not None:
            return pixels, 1
        picture = png.checked(picture.data)
    decoded = _decoded(picture, _draft(picture))
    if isinstance(decoded, Image.Image):
        decoded.info = {name: decoded.info[name] for name in _KEPT if name in decoded.info}
        decoded.info["exif"] = _exif(picture.orientation)
        return decoded, picture.width // decoded.width
    return decoded, picture.width // decoded.shape[1]


def _draft(picture: PictureFile) -> tuple[int, int] | None:
    """The size in which to decode a large JPEG whose sides divide evenly: boxes would else end beyond it."""
    width, height = picture.width, picture.height
    times = 2 ** max(0, math.ceil(math.log2(width * height / WORKING_PIXELS) / 2))
    if picture.kind != "JPEG" or times == 1 or width % times or height % times:
        return None
    return width // times, height // times


def _decoded(picture: PictureFile, draft: tuple[int, int] | None) -> Picture:
    if picture.linear:
        return _decoded_here(picture, draft)
    is_photo = picture.width * picture.height > PHOTO_PIXELS
    return (_photo_sandbox if is_photo else _sandbox).decode(picture, draft)


def _decoded_here(picture: PictureFile, draft: tuple[int, int] | None) -> Image.Image:
    try:
        image: Image.Image = Image.open(BytesIO(picture.data), formats=(picture.kind,))
        if image.size != (picture.width, picture.height):
            raise ValueError("the header says another size")
        if draft:
            image.draft(None, draft)
        image.load()
        if image.mode == "P" and image.palette is None:
            raise ValueError("its palette is missing")
    except Exception as error:  # Pillow's parsers and decoders raise whatever they trip over
        raise damaged(picture.kind) from error
    return image


@cache
def _exif(orientation: int) -> bytes:
    """EXIF data that say nothing but this, for `digits` to turn the picture by."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def _kind(data: bytes) -> str:
    """Pillow's name for what the first bytes say; raises where it is none that is taken."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    other = _other_kind(data)
    if other:
        raise WrongKind(f"This is {other}, which is not taken: send {TAKEN}.")
    if not data:
        raise BadImage(f"The picture is empty: send {TAKEN}.")
    if data[:8].lower().startswith((b"http://", b"https://", b"data:")):
        raise BadImage(f"This is a link, and links are not followed: send the picture itself, {TAKEN}.")
    raise BadImage(f"This is no picture: send {TAKEN}.")


def _other_kind(data: bytes) -> str | None:
    """The name of a recognised kind that is not taken."""
    for magic, kind in _NOT_TAKEN:
        if data.startswith(magic):
            return kind
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF"
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!")) and b"<svg" in start):
        return "SVG"
    return None


def _check_size(width: int, height: int) -> None:
    if min(width, height) < 1:
        raise BadImage("The picture has no pixels: send one with at least 1x1.")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise _too_many_pixels(f"{width}x{height}")


def _too_many_pixels(how_many: str) -> TooManyPixels:
    return TooManyPixels(
        f"The picture has {how_many} pixels: send one of at most {MAX_PIXELS // 10**6} megapixels and "
        f"{MAX_SIDE} pixels a side."
    )
