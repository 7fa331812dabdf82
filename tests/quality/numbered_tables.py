"""Tables as in forms: printed row numbers in the first column, and handwritten numbers in the others.

The fonts are OpenCV's stroke fonts, Pillow's own, and those of matplotlib that have digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digits.network.network_input import InkMap
from pipeline.synthesis.boxes import some_height, some_number, thicker
from pipeline.synthesis.numbers import written
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import Sheet, some_rule
from pipeline.synthesis.writers import Writer

_TYPES = ("DejaVu*", "STIXGeneral*", "cm[brst][!xy]*")  # of matplotlib's fonts, those that have digits
_STROKES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)
_FINER = 4  # text is drawn this many times larger, and then averaged
_WORDS = ("Name", "Total", "Q1", "Nr.", "Points", "Date", "Sum", "Week 3", "kg", "A")
_SIZE = (0.5, 1.0)  # font size, relative to the height of the handwriting


class Typed(NamedTuple):
    """A printed text: its ink, 0..1, and the row of its baseline."""

    ink: InkMap
    foot: float


Font = Callable[[str, float], Typed]
"""A function that returns a printed text, from the text and the approximate height of digits in pixels."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A table with its numbers of rows and columns, and its printed texts by row and column, from 0."""

    picture: Image.Image
    rows: int
    columns: int
    printed: dict[tuple[int, int], str]


def fonts() -> dict[str, Font]:
    """All fonts by name."""
    found: dict[str, Font] = {f"strokes {face}": _strokes(face) for face in _STROKES}
    found["Pillow"] = _typed(ImageFont.load_default)
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    for path in sorted(path for kind in _TYPES for path in folder.glob(f"{kind}.ttf")):
        if "Display" in path.stem:
            continue
        found[path.stem] = _typed(partial(ImageFont.truetype, path))
    return found


def make(writer: Writer, font: Font | None, rng: np.random.Generator, *, photo: bool) -> Numbered:
    """Draw a table of 5 to 14 rows. Without a font, everything is handwritten, including the row numbers."""
    height = some_height(rng, 22, 52)
    rows, columns = int(rng.integers(5, 15)), int(rng.integers(2, 5))
    longest = int(rng.integers(1, 4))
    wide = [height * (0.9 + 0.9 * max(longest, 2))] + [height * (0.9 + longest * 0.95)] * (columns - 1)
    high, margin = height * rng.uniform(1.45, 2.0), height * rng.uniform(0.4, 1.2)
    xs = margin + np.concatenate([[0.0], np.cumsum(wide)])
    ys = margin + np.arange(rows + 1) * high
    sheet, rule = Sheet(xs[-1] + margin, ys[-1] + margin), some_rule(rng, height)
    for place, x in enumerate(xs):
        outer = place in (0, columns) and rng.random() < 0.3
        sheet.rule((x, ys[0]), (x, ys[-1]), thicker(rule, 1.8) if outer else rule)
    for y in ys:
        sheet.rule((xs[0], y), (xs[-1], y), rule)
    size, side = height * rng.uniform(*_SIZE), rng.choice(["left", "middle", "right"])
    heading = str(rng.choice(["none", "words", "numbers"]))
    printed = dict[tuple[int, int], str]()
    first = int(rng.choice([1, 1, 1, 1, 11, 101]))
    for row in range(rows):
        y = ys[row] + 0.5 * high
        for column in range(columns):
            centre = float(xs[column : column + 2].mean())
            is_head = row == 0 and heading != "none"
            if column == 0 or is_head:
                if is_head:
                    words = heading == "words"
                    text = str(rng.choice(_WORDS)) if words else "" if column == 0 else str(column)
                else:
                    text = str(first + row - (heading != "none"))
                if not text:
                    continue
                if font is None:
                    _by_hand(sheet, "1" if is_head else text, writer, height, (centre, y), rng)
                    continue
                printed[row, column] = text
                left = xs[column] + 0.25 * height if side == "left" and not is_head else None
                right = xs[column + 1] - 0.25 * height if side == "right" and not is_head else None
                _print(sheet, font(text, size), y + size / 2, left, centre, right)
            elif rng.random() < 0.9:
                _by_hand(sheet, some_number(rng, 1, longest), writer, height, (centre, y), rng)
    if rng.random() < 0.25:
        sheet = sheet.bent(0.012 * max(sheet.size) * rng.uniform(0.3, 1), rng)
    picture = photographed(sheet, rng) if photo else Image.fromarray(sheet.coloured(rng))
    return Numbered(picture, rows, columns, printed)


def _by_hand(
    sheet: Sheet, text: str, writer: Writer, height: float, middle: Sequence[float], rng: np.random.Generator
) -> None:
    ink = written(text, writer, height, rng).ink
    x, y = (at + rng.normal(0, 0.04) * height for at in middle)
    sheet.write(ink, x - ink.shape[1] / 2, y - ink.shape[0] / 2)


def _print(
    sheet: Sheet,
    typed: Typed,
    y: float,
    left: float | None,
    centre: float,
    right: float | None,
) -> None:
    """Print a text on the sheet with its baseline at `y`; positions may lie between pixels."""
    width = typed.ink.shape[1]
    x = left if left is not None else right - width if right is not None else centre - width / 2
    top = y - typed.foot
    move = np.array([[1, 0, x - int(x)], [0, 1, top - int(top)]], np.float32)
    moved = cv2.warpAffine(typed.ink, move, (width + 1, typed.ink.shape[0] + 1), flags=cv2.INTER_LINEAR)
    part = sheet.print[int(top) : int(top) + moved.shape[0], int(x) : int(x) + moved.shape[1]]
    levels = (moved[: part.shape[0], : part.shape[1]] * 255).round().astype(np.uint8)
    np.maximum(part, levels, out=part)


def _strokes(face: int) -> Font:
    def drawn(text: str, height: float) -> Typed:
        scale, pen = _FINER * height / 21, max(1, round(_FINER * height * 0.09))
        (wide, _), _ = cv2.getTextSize(text, face, scale, pen)
        paper, foot = _paper(wide, height)
        cv2.putText(paper, text, (2 * pen, foot), face, scale, 255, pen, cv2.LINE_AA)
        return _small(paper, foot)

    return drawn


def _typed(load: Callable[[float], ImageFont.FreeTypeFont | ImageFont.ImageFont]) -> Font:
    def drawn(text: str, height: float) -> Typed:
        font = load(_FINER * height / 0.72)
        left, _, right, _ = font.getbbox(text)
        paper, foot = _paper(round(right - left), height)
        image = Image.fromarray(paper)
        ImageDraw.Draw(image).text((_FINER * height / 4, foot), text, fill=255, font=font, anchor="ls")
        return _small(np.asarray(image, np.uint8), foot)

    return drawn


def _paper(wide: int, height: float) -> tuple[NDArray[np.uint8], int]:
    """An empty image for a text `wide` pixels wide before reduction, and the row of its baseline."""
    foot = _FINER * round(1.3 * height)
    rows, columns = foot + _FINER * round(0.5 * height), wide + _FINER * round(height)
    return np.zeros((rows, columns - columns % _FINER), np.uint8), foot


def _small(paper: NDArray[np.uint8], foot: int) -> Typed:
    """The image reduced by `_FINER`, cropped to the columns with ink."""
    size = (paper.shape[1] // _FINER, paper.shape[0] // _FINER)
    ink = np.asarray(cv2.resize(paper, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    columns = np.flatnonzero(ink.any(axis=0))
    return Typed(ink[:, columns[0] : columns[-1] + 1], foot / _FINER)
