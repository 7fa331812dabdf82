"""Pictures of our own digits, as files and as what a camera sees."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from tests.browser.strokes import DIGITS, curve


def picture(digit: int, size: tuple[int, int] = (400, 300), paper: int = 235, ink: int = 30) -> Image.Image:
    """A digit in the middle of a sheet, mode "L"."""
    width, height = size
    image = Image.new("L", size, paper)
    pen = ImageDraw.Draw(image)
    tall = 0.7 * height
    for stroke in DIGITS[digit]:
        points = [
            (width / 2 + (x - 0.5) * 0.62 * tall, 0.15 * height + y * tall) for x, y in curve(stroke, 12)
        ]
        pen.line(points, fill=ink, width=round(0.06 * height), joint="curve")
    return image


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def write_camera(path: Path, digit: int) -> None:
    """What Chromium's camera of the tests sees: a video of one still frame (YUV4MPEG2, 4:2:0)."""
    image = picture(digit, (640, 480))
    frame = image.tobytes() + bytes([128]) * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + b"FRAME\n" + frame)
