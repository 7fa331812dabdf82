"""Tables as CSV: the table of one picture to a stream, or the tables of many pictures to one file each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from digits.errors import DigitsError
from digits.output.report import Row
from digits.output.spreadsheet import beside_tables, csv_of

if TYPE_CHECKING:  # it imports NumPy and OpenCV, which `digits --help` does not need
    from digits.results import Reading

Say = Callable[[str], None]


class TableStream:
    """Writes the table of a picture to a stream; `say` gets messages for the user."""

    def __init__(self, stream: TextIO, say: Say, min_confidence: float) -> None:
        self._stream = stream
        self._say = say
        self._min_confidence = min_confidence

    def row(self, row: Row) -> None:
        if row.reading is not None:
            self._stream.write(csv_of(row.reading, self._min_confidence).replace("\r\n", "\n"))
            self._stream.flush()
            _tell(row.path, row.reading, self._say)

    def end(self, *, complete: bool = True) -> None:
        """Nothing remains to be written."""


class TableFiles:
    """Writes `sheet.csv` into a folder for `sheet.jpg`, and `more/sheet.csv` for `more/sheet.jpg`."""

    def __init__(self, folder: Path, say: Say, min_confidence: float) -> None:
        self._folder = folder
        self._written: dict[Path, Path | str] = {}  # the picture of each file
        self._say = say
        self._min_confidence = min_confidence

    def row(self, row: Row) -> None:
        """Write the table of one picture; raises `DigitsError` if its file exists or cannot be written."""
        if row.reading is None:
            return
        path = self._folder / row.name.with_suffix(".csv")
        if path in self._written:
            raise DigitsError(
                f"{path} is the table of {self._written[path]}, which has the same name. Rename one of them, "
                "or read this one separately with another --output."
            )
        try:
            if path.exists():
                raise DigitsError(f"{path} already exists. Move it, or name another folder with --output.")
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, csv_of(row.reading, self._min_confidence))
        except OSError as error:
            sentence = f"{path} cannot be written ({error.strerror}). Name another folder with --output."
            raise DigitsError(sentence) from error
        self._written[path] = row.path
        _tell(row.path, row.reading, self._say)

    def end(self, *, complete: bool = True) -> None:
        """Nothing remains to be written."""


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        temporary.write_bytes(text.encode())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _tell(path: Path | str, reading: Reading, say: Say) -> None:
    if not reading.numbers:
        say(f"{path}: No numbers were found.")
    elif not reading.tables:
        say(f"{path}: No table was found, so each line of writing is a row.")
    elif beside := beside_tables(reading):
        numbers, are = ("numbers", "are") if beside > 1 else ("number", "is")
        say(f"{path}: {beside} {numbers} outside the table {are} left out; `--format json` shows all.")
