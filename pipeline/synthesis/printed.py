"""Forms with printed words: a heading, and labels in front of the handwritten numbers."""

from __future__ import annotations

import numpy as np

from pipeline.synthesis.boxes import some_height, some_number
from pipeline.synthesis.numbers import written
from pipeline.synthesis.sheets import Sheet, some_rule
from pipeline.synthesis.writers import Writer

_HEADINGS = (
    "Please fill in",
    "Form A: order",
    "Results of the group",
    "Bitte in Druckschrift",
    "Delivery note",
)
_LABELS = (
    "Name",
    "Total",
    "Points",
    "Telephone",
    "Amount due",
    "Summe",
    "Group",
    "Date of birth",
    "Customer",
)
_TYPE = (0.35, 0.75)  # font size, relative to a digit's height


def form(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Write one to four labelled numbers, each on a printed line, or a single one in boxes."""
    height = some_height(rng, 26, 64)
    size, step, margin = height * rng.uniform(*_TYPE), height * rng.uniform(2.0, 2.6), height * 0.8
    rows = int(rng.integers(1, 5))
    in_boxes = rows == 1 and rng.random() < 0.7
    labels = rng.choice(_LABELS, rows, replace=False)
    left = margin + size * 0.75 * max(map(len, labels)) + height * rng.uniform(0.6, 1.5)
    sheet = Sheet(left + 9 * height + margin, (rows + 1) * step + 2 * margin)
    sheet.words(str(rng.choice(_HEADINGS)), (margin, margin + height), size * rng.uniform(1.0, 1.3))
    rule, said = some_rule(rng, height), []
    for row, label in enumerate(labels, 1):
        foot = margin + height + row * step
        sheet.words(str(label), (margin, foot), size)
        text = some_number(rng, 2, 6)
        said.append(text)
        if in_boxes:
            _boxes(text, sheet, writer, (left, foot + 0.25 * height), height, rng)
            continue
        number = written(text, writer, height, rng)
        sheet.rule((left, foot + 0.12 * height), (left + 8.5 * height, foot + 0.12 * height), rule)
        sheet.write(number.ink, left + 0.3 * height, foot - number.foot - 0.02 * height)
    return "\n".join(said), sheet


def _boxes(
    text: str,
    sheet: Sheet,
    writer: Writer,
    corner: tuple[float, float],
    height: float,
    rng: np.random.Generator,
) -> None:
    """Draw a row of boxes with a digit in each; `corner` is the lower left corner of the row."""
    (left, bottom), wide, high = corner, height * rng.uniform(1.0, 1.3), height * rng.uniform(1.35, 1.6)
    rule = some_rule(rng, height)
    for place, digit in enumerate(text):
        x = left + place * wide
        sheet.frame(x, bottom - high, x + wide, bottom, rule)
        number = written(digit, writer, height * 0.85, rng)
        room, over = wide - number.ink.shape[1], high - number.ink.shape[0]
        sheet.write(
            number.ink, x + room * rng.uniform(0.4, 0.6), bottom - high + over * rng.uniform(0.35, 0.65)
        )
