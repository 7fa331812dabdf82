"""The quality benchmark with a few pictures per row; `make bench-quality` uses more.

It uses the default model, so that the short training of the tests has no effect here.
"""

from __future__ import annotations

import pytest

from digits.reader import Reader
from pipeline.evaluation.papers import Outcome, Score, ask_all
from tests.quality.rows import ROWS, Floor, Row

SHARE = 0.2  # of a row's pictures
SLACK = 8.0  # points, because processors differ in the last digits of a network's outputs
# The scores of these few pictures on 2026-11-27. The floors of their rows may be far lower.
REACHED: dict[str, Floor] = {
    "canvas": Floor(100, 0),
    "thin": Floor(100, 0),
    "thick": Floor(100, 0),
    "tiny": Floor(100, 0),
    "shaky": Floor(100, 0),
    "tilted": Floor(100, 0),
    "faint": Floor(100, 0),
    "shadow": Floor(100, 0),
    "ruled": Floor(100, 0),
    "specks": Floor(100, 0),
    "photo": Floor(100, 0),
    "inverted": Floor(100, 0),
    "scan": Floor(100, 0),
    "scribble": Floor(100, 0),
    "dash": Floor(100, 0),
    "plus": Floor(91.67, 8.33),
    "times": Floor(91.67, 8.33),
    "equals": Floor(100, 0),
    "letter": Floor(100, 0),
    "border": Floor(100, 0),
    "blank": Floor(83.33, 16.67),
    "level stroke": Floor(100, 0),
    "empty form": Floor(66.67, 75),
    "boxes": Floor(100, 0),
    "boxes, photo": Floor(60, 43.48),
    "dashed boxes": Floor(100, 0),
    "dashed boxes, photo": Floor(80, 0),
    "dotted boxes": Floor(100, 0),
    "dotted boxes, photo": Floor(80, 4.35),
    "comb": Floor(100, 0),
    "comb, photo": Floor(60, 25.71),
    "cell": Floor(100, 0),
    "cell, photo": Floor(100, 0),
    "table": Floor(100, 0),
    "table, photo": Floor(50, 2.5),
    "grid": Floor(100, 0),
    "grid, photo": Floor(100, 0),
    "sudoku": Floor(50, 1.01),
    "sudoku, photo": Floor(50, 29.21),
    "page": Floor(100, 0),
    "page, photo": Floor(100, 0),
    "columns": Floor(100, 0),
    "columns, photo": Floor(50, 12.66),
    "touching": Floor(100, 0),
    "touching, photo": Floor(100, 0),
    "amount": Floor(100, 0),
    "amount, photo": Floor(100, 0),
    "line": Floor(100, 0),
    "line, photo": Floor(100, 0),
    "form": Floor(100, 0),
    "form, photo": Floor(66.67, 42.31),
    "sudoku, photo out of focus": Floor(0, 2.63),
}


@pytest.fixture(scope="module")
def default_reader() -> Reader:
    return Reader.load()


@pytest.mark.parametrize("row", [row for row in ROWS if not row.large], ids=lambda row: row.name)
def test_row_is_read_as_well_as_before(default_reader: Reader, row: Row) -> None:
    outcomes = ask_all(row.ask(default_reader), row.pictures(max(2, round(row.count * SHARE))))
    score, told = Score.of(outcomes), [one for one in outcomes if not one.right]
    assert REACHED[row.name].holds(score, SLACK, missed=1), _said(told)


def _said(wrong: list[Outcome]) -> str:
    return "\n".join(f"{one.truth!r} read as {one.said!r}" for one in wrong)


def test_rows_are_named_once() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
