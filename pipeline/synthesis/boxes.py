"""Papers with one row of fields (boxes or a comb), and single cells cut out of a table."""

from __future__ import annotations

import numpy as np

from pipeline.synthesis.numbers import written
from pipeline.synthesis.sheets import Rule, Sheet, Style, some_rule
from pipeline.synthesis.writers import Writer

_HEIGHT = (26.0, 90.0)  # pixels of a digit
_CELL = (36.0, 500.0)  # pixels of a cell's height
_EMPTY = 0.2  # share of the rows that have an empty field between digits
_CROSSING = 0.2  # share of the rows with a digit that crosses its field's border
_CUT_OFF = 0.2  # share of the pictures that are cropped at or within the outer rules


def some_height(rng: np.random.Generator, low: float = _HEIGHT[0], high: float = _HEIGHT[1]) -> float:
    """Draw a digit's height in pixels from a log-uniform distribution."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def some_number(rng: np.random.Generator, shortest: int, longest: int) -> str:
    """Draw a string of `shortest` to `longest` random digits, which may begin with zeros."""
    length = int(rng.integers(shortest, longest, endpoint=True))
    return "".join(str(digit) for digit in rng.integers(0, 10, length))


def boxes(writer: Writer, rng: np.random.Generator, styles: tuple[Style, ...]) -> tuple[str, Sheet]:
    """Draw a row of adjacent or separate boxes with a digit in each; sometimes one box is empty."""
    text, height = some_number(rng, 3, 8), some_height(rng)
    fields = _with_gap(text, rng)
    high, wide = height * rng.uniform(1.25, 1.8), height * rng.uniform(1.0, 1.6)
    gap = 0.0 if rng.random() < 0.5 else height * rng.uniform(0.12, 0.5)
    rule, margin = some_rule(rng, height, styles), height * rng.uniform(0.3, 1.0)
    sheet = Sheet(len(fields) * (wide + gap) - gap + 2 * margin, high + 2 * margin)
    for place in range(len(fields)):
        left = margin + place * (wide + gap)
        sheet.frame(left, margin, left + wide, margin + high, rule)
    cut_off = rng.random() < _CUT_OFF
    _fill(sheet, fields, writer, height, (margin, margin, wide, high, gap), rng, may_cross=not cut_off)
    if cut_off:  # at most the rule itself, because more would cut digits
        off = round(margin + rng.uniform(-0.1, 0.08) * height)
        sheet = sheet.cropped(off, off, off, off)
    return text, sheet


def comb(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Draw a comb: a baseline with short teeth between the fields, with or without a top line and sides."""
    text, height = some_number(rng, 4, 9), some_height(rng)
    fields = _with_gap(text, rng)
    high, wide = height * rng.uniform(1.2, 1.6), height * rng.uniform(0.95, 1.4)
    rule, margin = some_rule(rng, height), height * rng.uniform(0.3, 1.0)
    right, foot = margin + len(fields) * wide, margin + high
    sheet = Sheet(right + margin, high + 2 * margin)
    sheet.rule((margin, foot), (right, foot), rule)
    tooth = high * rng.uniform(0.2, 0.5)
    for place in range(len(fields) + 1):
        outer = place in (0, len(fields))
        sheet.rule(
            (margin + place * wide, foot - (high if outer and rng.random() < 0.3 else tooth)),
            (margin + place * wide, foot),
            rule,
        )
    if rng.random() < 0.2:
        sheet.frame(margin, margin, right, foot, rule)
    _fill(sheet, fields, writer, height, (margin, margin - 0.04 * high, wide, high, 0.0), rng)
    return text, sheet


def cell(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Draw a cell cut out of a table with some margin: its rules and parts of the neighbours' rules."""
    text, high = some_number(rng, 1, 3), some_height(rng, *_CELL)
    height = high * rng.uniform(0.5, 0.68)
    number = written(text, writer, height, rng)
    wide = max(number.ink.shape[1] + 0.4 * high, high * rng.uniform(0.8, 2.0))
    rule = some_rule(rng, min(height, 80.0))
    beyond = [high * rng.uniform(0.02, 0.15) if rng.random() < 0.75 else -rule.width for _ in range(4)]
    left, top = beyond[0], beyond[1]
    sheet = Sheet(wide + left + beyond[2], high + top + beyond[3], "cut")
    width, bottom = sheet.size
    for x in (left, left + wide):
        sheet.rule((x, -2), (x, bottom + 2), rule)
    for y in (top, top + high):
        sheet.rule((-2, y), (width + 2, y), rule)
    x = left + (wide - number.ink.shape[1]) / 2 + rng.normal(0, 0.03) * high
    sheet.write(number.ink, x, top + (high - number.ink.shape[0]) / 2 + rng.normal(0, 0.03) * high)
    return text, sheet


def _with_gap(text: str, rng: np.random.Generator) -> str:
    """Insert a space for an empty field between two digits of the text, in a share `_EMPTY` of cases."""
    if rng.random() >= _EMPTY:
        return text
    place = int(rng.integers(1, len(text)))
    return f"{text[:place]} {text[place:]}"


def _fill(
    sheet: Sheet,
    fields: str,
    writer: Writer,
    height: float,
    places: tuple[float, float, float, float, float],
    rng: np.random.Generator,
    may_cross: bool = True,
) -> None:
    """Write a digit into each field.

    `places`: the first field's left and top, the fields' width and height, and the gap between them.
    """
    left, top, wide, high, gap = places
    crossing = int(rng.integers(len(fields))) if may_cross and rng.random() < _CROSSING else None
    for place, character in enumerate(fields):
        if character == " ":
            continue
        ink = writer.digit(int(character), height * rng.uniform(0.92, 1.06))
        x = left + place * (wide + gap) + (wide - ink.shape[1]) / 2 + rng.normal(0, 0.04) * height
        y = top + (high - ink.shape[0]) / 2 + rng.normal(0, 0.03) * height
        if place == crossing:
            y += (high - ink.shape[0]) / 2 + height * rng.uniform(0.03, 0.15)
        sheet.write(ink, x, y)


def thicker(rule: Rule, times: float) -> Rule:
    """Return the rule `times` as wide, but at least one pixel wider."""
    return Rule(max(rule.width + 1, round(times * rule.width)), rule.style, rule.dash)
