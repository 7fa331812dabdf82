"""Draw the page's example number, photo and table: `python -m pipeline.examples`.

It writes number.png, photo.jpg and table.jpg to ui/canvas/examples, with the same bytes each time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.synthesis.numbers import written
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import Rule, Sheet
from pipeline.synthesis.writers import PenWriter

FOLDER = Path(__file__).resolve().parents[1] / "ui" / "canvas" / "examples"
NUMBER = "2047"
LINES = ("305", "1982", "647")
TABLE = (("12", "340", "75"), ("8", "265", "90"), ("23", "418", "65"), ("15", "97", "80"))
QUALITY, WIDEST = 48, 640  # JPEG quality and longest side in pixels, for at most 30 kB per photo


def main() -> None:
    number().save(FOLDER / "number.png", optimize=True)
    for name, image in (("photo", photo()), ("table", table())):
        image.thumbnail((WIDEST, WIDEST))
        image.save(FOLDER / f"{name}.jpg", quality=QUALITY, optimize=True)


def number() -> Image.Image:
    """Draw black ink on a transparent background, in mode "LA" like the example digits."""
    rng = np.random.default_rng(3)
    ink = written(NUMBER, PenWriter(rng, pen=0.13, tremor=0.2), 120, rng).ink
    alpha = Image.fromarray((np.pad(ink, 24) * 255).round().astype(np.uint8))
    return Image.merge("LA", (Image.new("L", alpha.size), alpha))


def photo() -> Image.Image:
    """Photograph three lines of numbers on plain paper."""
    rng = np.random.default_rng(1)
    writer, sheet = PenWriter(rng, pen=0.09), Sheet(420, 330, "paper")
    for line, text in enumerate(LINES):
        sheet.write(written(text, writer, 60, rng).ink, 70 + 14 * line, 40 + 95 * line)
    return photographed(sheet, np.random.default_rng(10))  # on a wooden desk


def table() -> Image.Image:
    """Photograph a filled-in printed table."""
    rng = np.random.default_rng(5)
    writer, width, height = PenWriter(rng, pen=0.09), 135, 72
    x = [24.0 + width * column for column in range(len(TABLE[0]) + 1)]
    y = [24.0 + height * row for row in range(len(TABLE) + 1)]
    sheet, rule = Sheet(x[-1] + 24, y[-1] + 24), Rule(2)
    for place in x:
        sheet.rule((place, y[0]), (place, y[-1]), rule)
    for place in y:
        sheet.rule((x[0], place), (x[-1], place), rule)
    for row, texts in enumerate(TABLE):
        for column, text in enumerate(texts):
            ink = written(text, writer, 42, rng).ink
            left, top = x[column] + (width - ink.shape[1]) / 2, y[row] + (height - ink.shape[0]) / 2
            sheet.write(ink, left, top)
    return photographed(sheet, rng)


if __name__ == "__main__":
    main()
