"""The yardstick with a few pictures a row: `make bench-quality` shows more of each.

With the model that comes with the project, so that a training of a minute decides nothing here.
"""

from __future__ import annotations

import pytest

from digits.reader import Reader
from pipeline.evaluation.papers import Outcome, Score, ask_all
from tests.quality.rows import ROWS, Row

SHARE = 0.2  # of a row's pictures
SLACK = 25.0  # points: as few pictures scatter more


@pytest.fixture(scope="module")
def default_reader() -> Reader:
    return Reader.load()


@pytest.mark.parametrize("row", [row for row in ROWS if not row.large], ids=lambda row: row.name)
def test_row_reaches_its_floor(default_reader: Reader, row: Row) -> None:
    outcomes = ask_all(row.ask(default_reader), row.pictures(max(2, round(row.count * SHARE))))
    score, told = Score.of(outcomes), [one for one in outcomes if not one.right]
    assert row.floor.holds(score, SLACK, missed=2), _said(told)


def _said(wrong: list[Outcome]) -> str:
    return "\n".join(f"{one.truth!r} read as {one.said!r}" for one in wrong)


def test_rows_are_named_once() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
