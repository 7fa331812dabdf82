"""Tests of finding the printed numbers of a table, which never include handwritten ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digits.reader import Reader
from pipeline.synthesis.numbers import written
from pipeline.synthesis.sheets import Rule, Sheet
from pipeline.synthesis.writers import PenWriter

READER = Reader.load()
HIGH, WIDE, MARGIN = 64, 110, 30  # pixels of a cell, and around the table
HAND, TYPE = 36, 34  # pixels: the height of handwritten digits, and the font size of printed ones


def table(rows: Sequence[Sequence[str]], typed: set[tuple[int, int]], seed: int = 3) -> Image.Image:
    """A table of these numbers, printed at the `typed` places (row, column), else handwritten."""
    rng = np.random.default_rng(seed)
    writer = PenWriter(rng, tremor=0.0)
    xs = [float(MARGIN + WIDE * place) for place in range(len(rows[0]) + 1)]
    ys = [float(MARGIN + HIGH * place) for place in range(len(rows) + 1)]
    sheet, rule = Sheet(xs[-1] + MARGIN, ys[-1] + MARGIN), Rule(2)
    for x in xs:
        sheet.rule((x, ys[0]), (x, ys[-1]), rule)
    for y in ys:
        sheet.rule((xs[0], y), (xs[-1], y), rule)
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            if text and (row, column) not in typed:
                ink = written(text, writer, HAND, rng).ink
                x, y = (
                    at + side / 2 + rng.normal(0, 1.5) for at, side in ((xs[column], WIDE), (ys[row], HIGH))
                )
                sheet.write(ink, x - ink.shape[1] / 2, y - ink.shape[0] / 2)
    picture = Image.fromarray(np.rint(255 - 225 * np.maximum(sheet.ink, sheet.print / 255)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for row, column in typed:
        place = (xs[column] + WIDE / 2, ys[row] + HIGH / 2)
        font = ImageFont.load_default(TYPE)
        draw.text(place, rows[row][column], fill=30, font=font, anchor="mm")
    return picture


def numbered(count: int, heading: bool = False) -> list[list[str]]:
    """Rows with row numbers and two other columns."""
    other = np.random.default_rng(7).integers(1, 100, (count, 2)).astype(str).tolist()
    rows = [[str(row), *some] for row, some in enumerate(other, 1)]
    return [["", "2", "3"], *rows] if heading else rows


def printed(picture: Image.Image) -> set[tuple[int | None, int | None]]:
    return {(number.row, number.column) for number in READER.read(picture).numbers if number.printed}


def test_row_numbers_in_type_are_printed_and_the_hand_s_beside_them_are_not() -> None:
    typed = {(row, 0) for row in range(12)}
    found = printed(table(numbered(12), typed))
    assert found <= typed
    assert len(found) >= 11


def test_a_heading_in_the_type_of_the_row_numbers_is_printed() -> None:
    typed = {(row, 0) for row in range(1, 13)} | {(0, 1), (0, 2)}
    found = printed(table(numbered(12, heading=True), typed))
    assert {(0, 1), (0, 2)} <= found <= typed


def test_a_heading_by_hand_over_row_numbers_in_type_is_not() -> None:
    typed = {(row, 0) for row in range(1, 13)}
    found = printed(table(numbered(12, heading=True), typed))
    assert found <= typed
    assert len(found) >= 11


@pytest.mark.parametrize("seed", range(6))
def test_row_numbers_by_hand_are_not_printed(seed: int) -> None:
    assert printed(table(numbered(12), set(), seed)) == set()


def test_of_four_row_numbers_nothing_is_said() -> None:
    assert printed(table(numbered(4), {(row, 0) for row in range(4)})) == set()


def test_type_that_is_not_in_the_first_columns_is_not_looked_at() -> None:
    rows = [[second, number, third] for number, second, third in numbered(12)]
    assert printed(table(rows, {(row, 1) for row in range(12)})) == set()


def test_numbers_in_type_without_a_table_are_not_printed() -> None:
    paper = Image.new("L", (300, 900), 255)
    for row in range(12):
        font = ImageFont.load_default(TYPE)
        ImageDraw.Draw(paper).text((60, 60 + 64 * row), str(row + 1), fill=30, font=font)
    assert printed(paper) == set()
