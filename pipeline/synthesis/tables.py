"""Papers with rows and columns of cells and a number in each: tables, mark sheets and sudokus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesis.boxes import some_height, some_number, thicker
from pipeline.synthesis.numbers import Written, circled, struck, written
from pipeline.synthesis.sheets import Rule, Sheet, some_rule
from pipeline.synthesis.writers import Writer

_CROSSED_OUT = 0.12  # share of the papers with a crossed out number
_CIRCLED = 0.12  # share of the papers with a circled number
_CUT_OFF = 0.2  # share of the pictures that are cropped at or within the outer rules


@dataclass(frozen=True, slots=True)
class Cells:
    """The borders of cells: `xs` (columns + 1,) and `ys` (rows + 1,) in pixels."""

    xs: NDArray[np.floating]
    ys: NDArray[np.floating]

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """Return the centre of a cell as x and y."""
        return float(self.xs[column : column + 2].mean()), float(self.ys[row : row + 2].mean())


def table(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Draw a table of 2 to 8 rows and 2 to 5 columns of varying width, with 1 to 3 digits in most cells."""
    height = some_height(rng, 24, 60)
    rows, columns = int(rng.integers(2, 9)), int(rng.integers(2, 6))
    longest = int(rng.integers(1, 4))
    wide = [height * (0.9 + longest * rng.uniform(0.75, 1.0)) for _ in range(columns)]
    high, margin = height * rng.uniform(1.45, 2.2), height * rng.uniform(0.4, 1.2)
    xs = margin + np.concatenate([[0.0], np.cumsum(wide)])
    ys = margin + np.arange(rows + 1) * high
    sheet, rule = (
        Sheet(xs[-1] + margin, ys[-1] + margin),
        some_rule(rng, height, ("solid",) * 6 + ("dashed",)),
    )
    outer = thicker(rule, rng.uniform(1.2, 2.5)) if rng.random() < 0.3 else rule
    if rng.random() < 0.12:
        outer = Rule(rule.width, "double")
    bare = rng.random() < 0.15  # no rules at the sides
    for place, x in enumerate(xs):
        if not (bare and place in (0, columns)):
            sheet.rule((x, ys[0]), (x, ys[-1]), outer if place in (0, columns) else rule)
    for place, y in enumerate(ys):
        sheet.rule((xs[0], y), (xs[-1], y), outer if place in (0, rows) else rule)
    filled = _filled(rows, columns, rng.uniform(0.75, 1.0), rng)
    text = _write(sheet, Cells(xs, ys), filled, lambda: some_number(rng, 1, longest), writer, height, rng)
    if rng.random() < _CUT_OFF:
        off = round(margin + rng.uniform(-0.1, 0.05) * height)
        sheet = sheet.cropped(off, off, off, off)
    return text, sheet


def grid(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Draw a mark sheet: rows and columns of separate boxes, with 1 or 2 digits in most of them."""
    height = some_height(rng, 26, 64)
    rows, columns, longest = int(rng.integers(2, 7)), int(rng.integers(2, 8)), int(rng.integers(1, 3))
    wide, high = height * (0.6 + longest * rng.uniform(0.75, 1.0)), height * rng.uniform(1.35, 1.8)
    across, down = height * rng.uniform(0.2, 0.8), height * rng.uniform(0.2, 0.8)
    rule, margin = some_rule(rng, height, ("solid",) * 4 + ("dashed",)), height * rng.uniform(0.4, 1.2)
    xs = margin - across / 2 + np.arange(columns + 1) * (wide + across)
    ys = margin - down / 2 + np.arange(rows + 1) * (high + down)
    sheet = Sheet(xs[-1] + margin, ys[-1] + margin)
    for y in ys[:-1] + down / 2:
        for x in xs[:-1] + across / 2:
            sheet.frame(x, y, x + wide, y + high, rule)
    filled = _filled(rows, columns, rng.uniform(0.8, 1.0), rng)
    return _write(
        sheet, Cells(xs, ys), filled, lambda: some_number(rng, 1, longest), writer, height, rng
    ), sheet


def sudoku(writer: Writer, rng: np.random.Generator) -> tuple[str, Sheet]:
    """Draw a partly filled sudoku: nine by nine cells with 1 to 9, every third rule about twice as heavy."""
    side = some_height(rng, 38, 70)
    height, margin = side * rng.uniform(0.5, 0.68), side * rng.uniform(0.3, 0.8)
    at = margin + np.arange(10) * side
    sheet, rule = Sheet(at[-1] + margin, at[-1] + margin), Rule(int(rng.integers(1, 3)))
    heavy = thicker(rule, rng.uniform(1.8, 3.0))
    for place, here in enumerate(at):
        drawn = rule if place % 3 else heavy
        sheet.rule((here, at[0]), (here, at[-1]), drawn)
        sheet.rule((at[0], here), (at[-1], here), drawn)
    filled = _filled(9, 9, rng.uniform(0.3, 0.8), rng)
    return _write(sheet, Cells(at, at), filled, lambda: str(rng.integers(1, 10)), writer, height, rng), sheet


def _filled(rows: int, columns: int, share: float, rng: np.random.Generator) -> list[list[bool]]:
    """Choose the cells that are filled in: about this share of them, and at least two."""
    chosen = rng.random((rows, columns)) < share
    if chosen.sum() < 2:
        chosen[0, 0] = chosen[-1, -1] = True
    return [[bool(cell) for cell in row] for row in chosen]


def _write(
    sheet: Sheet,
    cells: Cells,
    filled: list[list[bool]],
    some_text: Callable[[], str],
    writer: Writer,
    height: float,
    rng: np.random.Generator,
) -> str:
    """Write numbers into the cells and return the text, one line per row; empty rows give no line."""
    places = [(row, column) for row, line in enumerate(filled) for column, cell in enumerate(line) if cell]
    crossed = places[rng.integers(len(places))] if rng.random() < _CROSSED_OUT else None
    ringed = places[rng.integers(len(places))] if rng.random() < _CIRCLED else None
    said: dict[int, list[str]] = {}
    for row, column in places:
        text = some_text()
        number = _fitting(text, writer, height, 0.94 * float(np.diff(cells.xs)[column]), rng)
        x, y = cells.middle(row, column)
        x, y = x + rng.normal(0, 0.04) * height, y + rng.normal(0, 0.03) * height
        inks = [number.ink]
        pen = writer.pen * height
        if (row, column) == crossed:
            text = "?"
            inks.append(struck(number.ink.shape[1] + 0.2 * height, 0.9 * height, max(pen, 1.5), rng))
        elif (row, column) == ringed:
            wide, high = number.ink.shape[1] + 0.6 * height, number.ink.shape[0] + 0.5 * height
            inks.append(circled(wide, high, pen, rng))
        for ink in inks:
            sheet.write(ink, x - ink.shape[1] / 2, y - ink.shape[0] / 2)
        said.setdefault(row, []).append(text)
    return "\n".join(" ".join(said[row]) for row in sorted(said))


def _fitting(text: str, writer: Writer, height: float, width: float, rng: np.random.Generator) -> Written:
    """Write a number, up to 40 % smaller if it is wider than `width` pixels, as people do in narrow cells."""
    number = written(text, writer, height, rng)
    if number.ink.shape[1] <= width:
        return number
    return written(text, writer, height * max(0.6, width / number.ink.shape[1]), rng)
