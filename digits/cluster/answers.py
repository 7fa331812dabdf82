"""The answers of a part, as Parquet with one row for each file, or as CSV with one row for each number.

With `--table`, both have one row for each cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from typing import Any, Literal, NamedTuple, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from digits.cluster.places import Folder
from digits.output.report import CsvWriter, Row
from digits.output.spreadsheet import cells_of

Format = Literal["parquet", "csv"]
FORMATS: tuple[Format, ...] = ("parquet", "csv")

_AT_ONCE = 512  # files whose answers are in memory together
_COUNTS = ("files", "errors")  # keys in a Parquet file's metadata

_BOX = pa.list_(pa.int32())
_NUMBER = pa.struct(
    {
        "text": pa.string(),
        "confidence": pa.float64(),
        "box": _BOX,
        "marks": pa.list_(pa.int32()),
        "row": pa.int32(),
        "column": pa.int32(),
        "printed": pa.bool_(),
    }
)
_MARK = pa.struct(
    {
        "digit": pa.int8(),
        "confidence": pa.float64(),
        "probabilities": pa.list_(pa.float64()),
        "rejected": pa.string(),
        "box": _BOX,
        "sign": pa.string(),
    }
)
_TABLE_CELL = pa.struct(
    {"row": pa.int32(), "column": pa.int32(), "box": _BOX, "numbers": pa.list_(pa.int32())}
)
_TABLE = pa.struct({"rows": pa.int32(), "columns": pa.int32(), "cells": pa.list_(_TABLE_CELL)})

ROWS = pa.schema(
    {
        "file": pa.string(),
        "text": pa.string(),
        "confidence": pa.float64(),
        "rejected": pa.int32(),
        "error": pa.string(),
        "numbers": pa.list_(_NUMBER),
        "digits": pa.list_(_MARK),
        "tables": pa.list_(_TABLE),
        "model": pa.string(),
    }
)
"""One row for each file. `numbers` and the columns after it are the answer of `POST /read`, as is `text`.

`confidence` is that of the least certain digit, and `rejected` is the number of rejected marks.
"""

CELLS = pa.schema(
    {
        "file": pa.string(),
        "table": pa.int32(),
        "row": pa.int32(),
        "column": pa.int32(),
        "text": pa.string(),
        "confidence": pa.float64(),
        "error": pa.string(),
    }
)
"""One row for each cell, including empty ones. A file without cells has one row without a table."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of the answers.

    With `table` there is one row for each cell, and numbers below `min_confidence` (0..1) are marked as
    doubtful.
    """

    format: Format
    table: bool = False
    min_confidence: float = 0.0


class Counts(NamedTuple):
    """The number of files, and how many of them could not be read."""

    files: int
    errors: int


def write(rows: Iterable[Row], folder: Folder, name: str, shape: Shape) -> Counts:
    """Write a part's answers. The file appears under its name only when it is complete. Raises `OSError`."""
    counted = _Counted(rows)
    with folder.writing(name) as stream:
        if shape.format == "csv":
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
            _write_csv(counted, text, shape)
            text.detach()
        else:
            _write_parquet(counted, stream, shape)
    return counted.counts


def counts_of(folder: Folder, name: str) -> Counts:
    """The counts of a part that was written. If it is damaged, raises any exception of its parser."""
    with folder.open(name) as file:
        if name.endswith(".csv"):
            lines = csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
            errors = [
                any(line["error"] for line in own) for _, own in groupby(lines, lambda one: one["file"])
            ]
            return Counts(len(errors), sum(errors))
        said = pq.read_metadata(file).metadata
        return Counts(*(int(said[entry.encode()]) for entry in _COUNTS))


class _Counted:
    """Passes rows on and counts them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.counts = Counts(0, 0)

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.counts = Counts(self.counts.files + 1, self.counts.errors + (row.error is not None))
            yield row


def _write_csv(rows: Iterable[Row], stream: TextIO, shape: Shape) -> None:
    if not shape.table:
        writer = CsvWriter(stream)
        for row in rows:
            writer.row(row)
        return
    lines = csv.DictWriter(stream, CELLS.names, lineterminator="\n")
    lines.writeheader()
    for row in rows:
        for cell in _cells(row, shape):
            sure = cell["confidence"]
            lines.writerow(cell if sure is None else cell | {"confidence": f"{sure:.4f}"})


def _write_parquet(counted: _Counted, stream: Any, shape: Shape) -> None:
    schema = CELLS if shape.table else ROWS
    rows = iter(counted)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while some := list(islice(rows, _AT_ONCE)):
            made = (
                [cell for row in some for cell in _cells(row, shape)] if shape.table else map(_object, some)
            )
            writer.write_table(pa.Table.from_pylist(list(made), schema))
        writer.add_key_value_metadata(dict(zip(_COUNTS, map(str, counted.counts), strict=True)))


def _object(row: Row) -> dict[str, Any]:
    own = {"file": str(row.path), "confidence": row.confidence, "rejected": row.rejected, "error": row.error}
    return own | (asdict(row.reading) if row.reading else {})


def _cells(row: Row, shape: Shape) -> list[dict[str, Any]]:
    own = {"file": str(row.path), "error": row.error}
    cells = cells_of(row.reading, shape.min_confidence) if row.reading else ()
    nothing: dict[str, Any] = dict.fromkeys(CELLS.names)
    return [nothing | own | cell._asdict() for cell in cells] or [nothing | own]
