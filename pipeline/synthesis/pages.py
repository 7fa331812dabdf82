"""Papers without cells: a number, an amount, or a page of numbers in one or two columns, plain or ruled."""

from __future__ import annotations

import numpy as np

from pipeline.synthesis.boxes import some_height, some_number
from pipeline.synthesis.numbers import circled, written
from pipeline.synthesis.sheets import Rule, Sheet
from pipeline.synthesis.writers import Writer

_RULED = 0.5  # share of the pages that are ruled
_THROUGH = 0.15  # share of the pages that are so thin that writing on the back shows through
_CIRCLED = 0.12  # share of the pages with a circled number


def line(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Write one number of 3 to 8 digits."""
    return _single(some_number(rng, 3, 8), writer, rng)


def touching(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Write one number of 2 to 4 digits that touch each other, sometimes only just."""
    return _single(some_number(rng, 2, 4), writer, rng, touching=True)


def amount(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Write one number with a minus sign, a decimal point or comma, or both."""
    whole, part = some_number(rng, 1, 4), some_number(rng, 1, 3)
    sign = "-" if rng.random() < 0.4 else ""
    if sign and rng.random() < 0.3:
        return _single(sign + whole, writer, rng)
    return _single(f"{sign}{whole}{'.,'[rng.integers(2)]}{part}", writer, rng)


def page(writer: Writer, rng: np.random.Generator, columns: int) -> tuple[str, Sheet]:
    """Write lines of numbers of 1 to 5 digits; with two columns, each line has one number per column."""
    height, rows = some_height(rng, 24, 48), int(rng.integers(4, 11))
    step, margin = height * rng.uniform(1.6, 2.2), height * rng.uniform(0.8, 1.6)
    gap = height * rng.uniform(0.9, 1.5)
    apart = height * rng.uniform(8.5, 11)  # from one column to the next
    width = (apart * (columns - 1) + height * 6 if columns > 1 else height * rng.uniform(12, 20)) + 2 * margin
    sheet = Sheet(width, rows * step + 2 * margin, "paper")
    _rules(sheet, margin + height, step, height, rng)
    ringed = int(rng.integers(rows)) if rng.random() < _CIRCLED else None
    said = []
    for row in range(rows):
        foot, left, words = margin + height + row * step, margin, list[str]()
        most = columns if columns > 1 else int(rng.integers(1, 6))
        while len(words) < most:
            text = some_number(rng, 1, 5)
            number = written(text, writer, height, rng)
            right = left + number.ink.shape[1]
            if right > width - 0.6 * margin and words:
                break
            top = foot - number.foot - 0.06 * height + rng.normal(0, 0.02) * height
            sheet.write(number.ink, left, top)
            if row == ringed and not words and len(text) <= 3:
                ring = circled(number.ink.shape[1] + 0.6 * height, 1.45 * height, writer.pen * height, rng)
                sheet.write(ring, left - 0.3 * height, top - 0.22 * height)
            words.append(text)
            left = margin + len(words) * apart if columns > 1 else right + gap * rng.uniform(0.9, 1.3)
        said.append(" ".join(words))
    if rng.random() < _THROUGH:
        sheet = sheet.show_through(rng.uniform(0.06, 0.14))
    return "\n".join(said), sheet


def _single(
    text: str, writer: Writer, rng: np.random.Generator, *, touching: bool = False
) -> tuple[str, Sheet]:
    height = some_height(rng, 26, 110)
    number = written(text, writer, height, rng, touching=touching)
    margin = height * rng.uniform(0.4, 1.3)
    sheet = Sheet(number.ink.shape[1] + 2 * margin, number.ink.shape[0] + 2 * margin)
    sheet.write(number.ink, margin, margin)
    return text, sheet


def _rules(sheet: Sheet, first: float, step: float, height: float, rng: np.random.Generator) -> None:
    """Print lines under the writing from edge to edge, or squares, or nothing."""
    if rng.random() > _RULED:
        return
    width, bottom = sheet.size
    rule = Rule(max(1, round(height * rng.uniform(0.02, 0.05))))
    for y in np.arange(first - step * int(first // step), bottom, step):
        sheet.rule((-2, y), (width + 2, y), rule)
    if rng.random() < 0.2:
        for x in np.arange(step * rng.uniform(0, 1), width, step):
            sheet.rule((x, -2), (x, bottom + 2), rule)
