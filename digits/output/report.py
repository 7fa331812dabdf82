"""Readings of files as text, CSV or JSON, one row a file, written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from digits.results import Reading

COLUMNS = ("file", "text", "confidence", "rejected", "error")


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

    def end(self) -> None:
        """All files have been read."""


class TextWriter:
    """`FILE: 2047 (99.8%, ...)`: for people. Files that cannot be read are left to the error stream.

    A percentage is a digit's; where there are several numbers, it is a number's.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def row(self, row: Row) -> None:
        if row.reading is not None:
            print(f"{row.path}: {_described(row.reading)}", file=self._stream)

    def end(self) -> None:
        self._stream.flush()


class CsvWriter:
    """One line a file; `confidence` is that of the least sure digit, `rejected` counts the `?` marks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = csv.writer(stream, lineterminator="\n")
        self._lines.writerow(COLUMNS)

    def row(self, row: Row) -> None:
        self._lines.writerow(
            (
                row.path,
                row.reading.text if row.reading else "",
                "" if row.confidence is None else f"{row.confidence:.4f}",
                "" if row.rejected is None else row.rejected,
                row.error or "",
            )
        )

    def end(self) -> None:
        self._stream.flush()


class JsonWriter:
    """A list of objects: those that `POST /read` answers, each with its `file`, or with an `error`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._before = "["

    def row(self, row: Row) -> None:
        self._stream.write(f"{self._before}\n{json.dumps(_object(row))}")
        self._before = ","

    def end(self) -> None:
        self._stream.write("[]\n" if self._before == "[" else "\n]\n")


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
    sure = ", ".join("?" if part.confidence is None else f"{part.confidence:.1%}" for part in parts)
    text = reading.text.replace("\n", " / ")
    return f"{text} ({sure})" if sure else text


def _object(row: Row) -> dict[str, Any]:
    if row.reading is None:
        return {"file": str(row.path), "error": row.error}
    return {"file": str(row.path), **asdict(row.reading)}
