"""Readings of files as text, CSV or JSON, each written as soon as its file has been read."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from digits.output.percentages import percent
from digits.output.spreadsheet import numbers_by_line

if TYPE_CHECKING:  # it imports NumPy and OpenCV, which `digits --help` does not need
    from digits.results import Number, Reading

COLUMNS = ("file", "line", "number", "text", "confidence", "rejected", "error")

_ALMOST = 0.9999  # the highest confidence that is written, so that no confidence is rounded to 1


@dataclass(frozen=True, slots=True)
class Row:
    """The result for one file: a reading, or the message that says why there is none.

    `path` is the file as it was given, or text if it is an address or in an archive. `name` is the file's
    path relative to the given folder.
    """

    path: Path | str
    reading: Reading | None
    error: str | None
    name: Path = Path()

    @property
    def confidence(self) -> float | None:
        """The confidence of the least certain digit; None if no digit was read."""
        marks = self.reading.digits if self.reading else ()
        return min((mark.confidence for mark in marks if mark.confidence is not None), default=None)

    @property
    def rejected(self) -> int | None:
        """The number of rejected marks; None without a reading."""
        if self.reading is None:
            return None
        return sum(mark.rejected is not None for mark in self.reading.digits)


class Writer(Protocol):
    """Writes the results of files, one after another."""

    def row(self, row: Row) -> None:
        """Write the result of one file; raises `DigitsError` if it cannot be written."""

    def end(self, *, complete: bool = True) -> None:
        """Finish the output. It is not `complete` if reading was interrupted before the last file."""


class TextWriter:
    """Writes lines for people: `FILE: 2047 (99.8 %, ...)`. Files that cannot be read are left out.

    The percentages are the confidences of the digits or, if there are several numbers, of the numbers.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def row(self, row: Row) -> None:
        if row.reading is not None:
            print(f"{row.path}: {_described(row.reading)}", file=self._stream, flush=True)

    def end(self, *, complete: bool = True) -> None:
        """Nothing remains to be written."""


class CsvWriter:
    """Writes one row for each number, in reading order, and one row for a file without numbers or a reading.

    `line` and `number` are the position of a number: the second number of the third line has 3 and 2.
    `confidence` is the probability that the whole number is right, and `rejected` is the number of its `?`
    marks. Line breaks in cells are replaced by spaces.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = csv.writer(stream, lineterminator="\n")
        self._lines.writerow(COLUMNS)

    def row(self, row: Row) -> None:
        for cells in _csv_rows(row):
            self._lines.writerow([" ".join(str(cell).splitlines()) for cell in (row.path, *cells)])
        self._stream.flush()

    def end(self, *, complete: bool = True) -> None:
        """Nothing remains to be written."""


class JsonWriter:
    """Writes one object with `files`, an array that is written file by file, and finally a `summary`.

    An entry of `files` has the path as `file`, with the answer of `POST /read` or an `error`. In the summary,
    `seconds` is the time for reading all files without loading the model, and `numbers` is the number of
    numbers in all files.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._start = time.perf_counter()
        self._read = self._failed = self._numbers = 0
        stream.write('{"files": [')

    def row(self, row: Row) -> None:
        before = "," if self._read + self._failed else ""
        if row.reading is None:
            self._failed += 1
        else:
            self._read += 1
            self._numbers += len(row.reading.numbers)
        self._stream.write(f"{before}\n{json.dumps(_object(row))}")
        self._stream.flush()

    def end(self, *, complete: bool = True) -> None:
        summary = {
            "files": self._read + self._failed,
            "read": self._read,
            "failed": self._failed,
            "numbers": self._numbers,
            "seconds": round(time.perf_counter() - self._start, 3),
            "complete": complete,
        }
        self._stream.write(f'\n], "summary": {json.dumps(summary)}}}\n')
        self._stream.flush()


WRITERS: dict[str, Callable[[TextIO], Writer]] = {
    "text": TextWriter,
    "csv": CsvWriter,
    "json": JsonWriter,
}


def _described(reading: Reading) -> str:
    if not reading.digits:
        return "blank"
    several = len(reading.numbers) > 1
    parts = reading.numbers if several else [mark for mark in reading.digits if mark.sign is None]
    sure = ", ".join("?" if part.confidence is None else percent(part.confidence) for part in parts)
    text = reading.text.replace("\n", " / ")
    return f"{text} ({sure})" if sure else text


def _csv_rows(row: Row) -> Iterator[tuple[object, ...]]:
    """The rows of one file, without the `file` column."""
    if row.reading is None:
        yield "", "", "", "", "", row.error or ""
    elif not row.reading.numbers:
        yield "", "", "", "", 0, ""
    else:
        for line, place, number in _places(row.reading):
            sure = "" if number.confidence is None else f"{min(number.confidence, _ALMOST):.4f}"
            yield line, place, number.text, sure, number.text.count("?"), ""


def _places(reading: Reading) -> Iterator[tuple[int, int, Number]]:
    """Each number with its line and its position in the line, both counted from 1."""
    for line, numbers in enumerate(numbers_by_line(reading), 1):
        for place, number in enumerate(numbers, 1):
            yield line, place, number


def _object(row: Row) -> dict[str, Any]:
    if row.reading is None:
        return {"file": str(row.path), "error": row.error}
    return {"file": str(row.path), **asdict(row.reading)}
