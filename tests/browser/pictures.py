"""Pictures of our own digits, as files and as the video of a camera."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipeline.synthesis.numbers import written
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import Rule, Sheet
from pipeline.synthesis.writers import PenWriter
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


def photo_of_table(numbers: Sequence[Sequence[str]]) -> Image.Image:
    """A phone's photo of a sheet with these numbers in a printed table, row for row, written with a pen."""
    rng = np.random.default_rng(61)
    writer, height = PenWriter(rng), 44.0
    x, y = (
        30 + np.arange(n + 1) * height * side for n, side in ((len(numbers[0]), 2.9), (len(numbers), 1.7))
    )
    sheet, rule = Sheet(x[-1] + 30, y[-1] + 30), Rule(2)
    for place in x:
        sheet.rule((place, y[0]), (place, y[-1]), rule)
    for place in y:
        sheet.rule((x[0], place), (x[-1], place), rule)
    for row, texts in enumerate(numbers):
        for column, text in enumerate(texts):
            ink = written(text, writer, height, rng).ink
            middle = x[column : column + 2].mean(), y[row : row + 2].mean()
            sheet.write(ink, middle[0] - ink.shape[1] / 2, middle[1] - ink.shape[0] / 2)
    return photographed(sheet, rng)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def write_camera(path: Path, digit: int) -> None:
    """Write the video for Chromium's fake camera: one still frame (YUV4MPEG2, 4:2:0)."""
    image = picture(digit, (640, 480))
    frame = image.tobytes() + bytes([128]) * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + b"FRAME\n" + frame)
