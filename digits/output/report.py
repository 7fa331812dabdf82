"""Readings of files as text, CSV or JSON, written as they come."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from digits.output.percentages import percent

if TYPE_CHECKING:  # it imports NumPy and OpenCV, which `digits --help` does not need
    from digits.results import Number, Reading

COLUMNS = ("file", "line", "number", "text", "confidence", "rejected", "error")

_ALMOST = 0.9999  # the highest confidence with four digits that is no certainty


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file: a reading, or the sentence that says why there is none.

    `path` is the file as it was named, text where it is an address or lies in an archive; `name` is that of
    the file below the folder that was asked for.
    """

    path: Path | str
    reading: Reading | None
    error: str | None
    name: Path = Path()

    @property
    def confidence(self) -> float | None:
        """That of the least sure digit; None where no digit was read."""
        marks = self.reading.digits if self.reading else ()
        return min((mark.confidence for mark in marks if mark.confidence is not None), default=None)

    @property
    def rejected(self) -> int | None:
        """How many marks are `?`; None without a reading."""
        if self.reading is None:
            return None
        return sum(mark.rejected is not None for mark in self.reading.digits)


class Writer(Protocol):
    """Takes what became of each file, one after another, and is told of the end."""

    def row(self, row: Row) -> None:
        """Raises `DigitsError` where it cannot be written."""

    def end(self, *, complete: bool = True) -> None:
        """All files have been read; not `complete`: some have not, and nobody will."""


class TextWriter:
    """`FILE: 2047 (99.8 %, ...)`: for people. Files that cannot be read are left to the error stream.

    A percentage is a digit's; where there are several numbers, it is a number's.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def row(self, row: Row) -> None:
        if row.reading is not None:
            print(f"{row.path}: {_described(row.reading)}", file=self._stream, flush=True)

    def end(self, *, complete: bool = True) -> None:
        """Each line stands for itself."""


class CsvWriter:
    """A row a number, in reading order; a file without numbers, or one that cannot be read, has one row, too.

    `line` and `number` say where a number stands: the second of the third line is 3, 2. `confidence` is the
    probability that all of it is right, `rejected` counts its `?` marks. No cell has a line break.
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
        """Each row stands for itself."""


class JsonWriter:
    """An object with the `files` and a `summary` of them, which comes last: it is written as it goes.

    A file is what `POST /read` answers, with its `file`, or `file` and `error`. In the summary `seconds` is
    the time from first to last, without that of loading the model, and `numbers` counts those of all files.
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
    """All columns but the file's."""
    if row.reading is None:
        yield "", "", "", "", "", row.error or ""
    elif not row.reading.numbers:
        yield "", "", "", "", 0, ""
    else:
        for line, place, number in _places(row.reading):
            sure = "" if number.confidence is None else f"{min(number.confidence, _ALMOST):.4f}"
            yield line, place, number.text, sure, number.text.count("?"), ""


def _places(reading: Reading) -> Iterator[tuple[int, int, Number]]:
    """Each number with its line and its place in it, both from 1."""
    numbers = iter(reading.numbers)
    for line, text in enumerate(reading.text.split("\n"), 1):
        for place in range(1, len(text.split(" ")) + 1):
            yield line, place, next(numbers)


def _object(row: Row) -> dict[str, Any]:
    if row.reading is None:
        return {"file": str(row.path), "error": row.error}
    return {"file": str(row.path), **asdict(row.reading)}
