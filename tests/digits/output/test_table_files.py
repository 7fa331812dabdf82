"""The messages about a table."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from digits.output.report import Row
from digits.output.table_files import TableStream
from digits.results import Number, Reading, TableReading


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 number outside the table is"), (2, "2 numbers outside the table are")]
)
def test_numbers_outside_a_table_are_counted(count: int, words: str) -> None:
    numbers = (Number("7", 1.0, (0, 0, 9, 9), ()),) * count
    reading = Reading("", numbers, (), (TableReading(2, 2, ()),), "default")
    said: list[str] = []
    TableStream(StringIO(), said.append, 0.0).row(Row(Path("sheet.jpg"), reading, None))
    (sentence,) = said
    assert words in sentence
