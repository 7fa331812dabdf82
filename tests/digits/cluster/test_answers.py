from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from digits.cluster.answers import CELLS, FORMATS, ROWS, Counts, Format, Shape, counts_of, write
from digits.cluster.places import Folder
from digits.output.report import COLUMNS, Row
from digits.results import Mark, Number, Reading, TableCell, TableReading

BOX = (0, 0, 10, 10)
MARKS = tuple(Mark(digit, 0.5, (0.1,) * 10, None, BOX) for digit in (4, 7))
READ = Reading(
    "4 7",
    (Number("4", 0.5, BOX, (0,), 0, 0), Number("7", 0.25, BOX, (1,), 0, 2)),
    MARKS,
    (TableReading(1, 3, (TableCell(0, 0, BOX, (0,)), TableCell(0, 1, BOX, ()), TableCell(0, 2, BOX, (1,)))),),
    "3",
)
ROW, BAD, EMPTY = (
    Row("s3://a/b.png", READ, None),
    Row("c.png", None, "Bad."),
    Row("d.png", Reading("", (), (), (), "3"), None),
)


def written(folder: Path, shape: Shape) -> list[dict[str, Any]]:
    name = f"part-0.{shape.format}"
    assert write([ROW, BAD, EMPTY], Folder(str(folder)), name, shape) == Counts(3, 1)
    assert counts_of(Folder(str(folder)), name) == Counts(3, 1)
    if shape.format == "csv":
        return [*csv.DictReader(StringIO((folder / name).read_text(encoding="utf-8")))]
    table = pq.read_table(folder / name)
    assert table.schema.equals(CELLS if shape.table else ROWS)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_parquet_has_a_row_a_file_and_what_read_answers(tmp_path: Path) -> None:
    row, bad, empty = written(tmp_path, Shape("parquet"))
    assert {*COLUMNS} - {*row} == {"line", "number"}  # only a CSV with one row for each number has these
    assert (row["file"], row["text"], row["confidence"], row["rejected"]) == ("s3://a/b.png", "4 7", 0.5, 0)
    assert row["numbers"][1]["text"] == "7"
    assert row["numbers"][1]["column"] == 2
    assert row["digits"][0]["probabilities"] == pytest.approx([0.1] * 10)
    assert row["tables"][0]["cells"][2]["numbers"] == [1]
    assert (bad["file"], bad["text"], bad["numbers"], bad["error"]) == ("c.png", None, None, "Bad.")
    assert (empty["text"], empty["numbers"], empty["error"]) == ("", [], None)


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_tables_are_a_row_a_cell_and_every_file_has_one(tmp_path: Path, format: Format) -> None:
    rows = written(tmp_path, Shape(format, table=True, min_confidence=0.4))
    assert [*rows[0]] == CELLS.names
    told = [(row["file"], str(row["column"] or 0), row["text"] or "", row["error"] or "") for row in rows]
    assert told == [
        ("s3://a/b.png", "0", "4", ""),
        ("s3://a/b.png", "1", "", ""),
        ("s3://a/b.png", "2", "7 ?", ""),
        ("c.png", "0", "", "Bad."),
        ("d.png", "0", "", ""),
    ]
    assert [float(row["confidence"] or 0) for row in rows] == [0.5, 0, 0.25, 0, 0]


def test_a_part_that_is_broken_off_is_no_part(tmp_path: Path) -> None:
    def rows() -> Any:
        yield ROW
        raise KeyboardInterrupt

    for format in FORMATS:
        with pytest.raises(KeyboardInterrupt):
            write(rows(), Folder(str(tmp_path)), f"part-0.{format}", Shape(format))
    assert not [*tmp_path.iterdir()]
