"""Readings as rows and cells of a spreadsheet. Empty cells stay empty, and a rejected mark is `?`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # it imports NumPy and OpenCV, which `digits --help` does not need
    from digits.results import Number, Reading, TableReading

DOUBTFUL = " ?"
"""The suffix of a doubtful number. A spreadsheet treats "47 ?" as text, so that it is not part of a sum."""

Rows = list[list[str]]


def csv_of(reading: Reading, min_confidence: float = 0.0) -> str:
    """The tables of a reading as CSV (RFC 4180), separated by empty lines."""
    stream = io.StringIO(newline="")
    lines = csv.writer(stream)
    for number, rows in enumerate(tables_of(reading, min_confidence)):
        if number:
            lines.writerow(())
        lines.writerows(rows)
    return stream.getvalue()


def tables_of(reading: Reading, min_confidence: float = 0.0) -> list[Rows]:
    """The rows of each table or, if there is no table, one row for each line, with a number in each cell.

    Numbers with a confidence below `min_confidence` (0..1) are doubtful. Numbers outside tables are left out.
    """
    if not reading.tables:
        return [list(_lines(reading, min_confidence))] if reading.numbers else []
    return [_table(table, reading, min_confidence) for table in reading.tables]


class Cell(NamedTuple):
    """One cell: its table, row and column (each counted from 0), and its text.

    `confidence` is the probability, 0..1, that the whole text is right. It is None for an empty cell, and if
    a mark was rejected.
    """

    table: int
    row: int
    column: int
    text: str
    confidence: float | None


def cells_of(reading: Reading, min_confidence: float = 0.0) -> Iterator[Cell]:
    """The cells of `tables_of`, one after another, including empty ones."""
    written: dict[tuple[int, int, int], Sequence[Number]] = {}
    for place, table in enumerate(reading.tables):
        for cell in table.cells:
            written[place, cell.row, cell.column] = [reading.numbers[index] for index in cell.numbers]
    if not reading.tables:
        for at, line in enumerate(numbers_by_line(reading)):
            for column, number in enumerate(line):
                written[0, at, column] = [number]
    for place, rows in enumerate(tables_of(reading, min_confidence)):
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                yield Cell(place, at, column, text, _all_right(written.get((place, at, column), ())))


def _all_right(numbers: Sequence[Number]) -> float | None:
    """The probability that all of these numbers are right; None without numbers, or if one is None."""
    known = [number.confidence for number in numbers if number.confidence is not None]
    return math.prod(known) if known and len(known) == len(numbers) else None


def beside_tables(reading: Reading) -> int:
    """The number of numbers outside the tables of a reading; 0 if it has no tables."""
    if not reading.tables:
        return 0
    return len(reading.numbers) - sum(len(cell.numbers) for table in reading.tables for cell in table.cells)


def _table(table: TableReading, reading: Reading, min_confidence: float) -> Rows:
    rows = [[""] * table.columns for _ in range(table.rows)]
    for cell in table.cells:
        texts = (_text(reading.numbers[index], min_confidence) for index in cell.numbers)
        rows[cell.row][cell.column] = " ".join(texts)
    return rows


def numbers_by_line(reading: Reading) -> Iterator[Sequence[Number]]:
    """The numbers of each line of a reading, from the top."""
    start = 0
    for text in reading.text.split("\n"):
        end = start + len(text.split(" "))
        yield reading.numbers[start:end]
        start = end


def _lines(reading: Reading, min_confidence: float) -> Iterator[list[str]]:
    for numbers in numbers_by_line(reading):
        yield [_text(number, min_confidence) for number in numbers]


def _text(number: Number, min_confidence: float) -> str:
    doubtful = number.confidence is not None and number.confidence < min_confidence
    return number.text + DOUBTFUL if doubtful else number.text
