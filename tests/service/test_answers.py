"""The answer models: the answer of `POST /read` for any reading."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from digits import Mark, Number, Prediction, Reading, TableCell, TableReading
from digits.output.report import JsonWriter, Row
from service.answers import PredictAnswer, ReadAnswer, as_json

UNSURE = tuple(0.1 for _ in range(10))


def digit(value: int, left: int) -> Mark:
    shares = tuple(0.91 if each == value else 0.01 for each in range(10))
    return Mark(value, 0.91, shares, None, (left, 10, left + 20, 40))


MARKS = (
    Mark(None, None, UNSURE, None, (0, 24, 8, 27), "-"),
    digit(3, 10),
    Mark(None, None, UNSURE, None, (31, 36, 34, 44), ","),
    digit(5, 36),
    digit(1, 80),
    Mark(None, None, UNSURE, "not_a_digit", (102, 10, 120, 40)),
    digit(7, 10),
)
READING = Reading(
    "-3,5 1?\n7",
    (
        Number("-3,5", 0.8281, (0, 10, 56, 44), (0, 1, 2, 3), 0, 0, printed=True),
        Number("1?", None, (80, 10, 120, 40), (4, 5), 0, 1),
        Number("7", 0.91, (10, 10, 30, 40), (6,)),
    ),
    MARKS,
    (TableReading(1, 2, (TableCell(0, 0, (0, 0, 60, 50), (0,)), TableCell(0, 1, (60, 0, 120, 50), (1,)))),),
    "12",
)


def said(answer: PredictAnswer | ReadAnswer) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bytes(as_json(answer).body))
    return content


def test_read_answer_has_its_fields_in_their_order() -> None:
    content = said(ReadAnswer.of(READING))
    assert list(content) == ["text", "numbers", "digits", "tables", "model"]
    assert list(content["numbers"][0]) == ["text", "confidence", "box", "marks", "row", "column", "printed"]
    assert list(content["digits"][0]) == ["digit", "confidence", "probabilities", "rejected", "box", "sign"]


def test_read_answer_says_signs_spaces_and_lines() -> None:
    content = said(ReadAnswer.of(READING))
    assert content["text"] == "-3,5 1?\n7"
    assert [mark["sign"] for mark in content["digits"]] == ["-", None, ",", None, None, None, None]
    minus = content["digits"][0]
    assert (minus["digit"], minus["confidence"], minus["rejected"]) == (None, None, None)
    assert len(minus["probabilities"]) == 10


def test_read_answer_says_numbers_and_their_places() -> None:
    assert said(ReadAnswer.of(READING))["numbers"] == [
        {
            "text": "-3,5",
            "confidence": 0.8281,
            "box": [0, 10, 56, 44],
            "marks": [0, 1, 2, 3],
            "row": 0,
            "column": 0,
            "printed": True,
        },
        {
            "text": "1?",
            "confidence": None,
            "box": [80, 10, 120, 40],
            "marks": [4, 5],
            "row": 0,
            "column": 1,
            "printed": False,
        },
        {
            "text": "7",
            "confidence": 0.91,
            "box": [10, 10, 30, 40],
            "marks": [6],
            "row": None,
            "column": None,
            "printed": False,
        },
    ]


def test_read_answer_says_tables_and_what_stands_in_their_cells() -> None:
    (table,) = said(ReadAnswer.of(READING))["tables"]
    assert (table["rows"], table["columns"]) == (1, 2)
    assert table["cells"][1] == {"row": 0, "column": 1, "box": [60, 0, 120, 50], "numbers": [1]}


def test_boxes_of_marks_and_numbers_are_in_pixels_of_what_was_sent() -> None:
    plain, enlarged = said(ReadAnswer.of(READING)), said(ReadAnswer.of(READING, 3))
    for name in ("digits", "numbers"):
        assert [each.pop("box") for each in enlarged[name]] == [
            [3 * side for side in each.pop("box")] for each in plain[name]
        ]
    cells, small = (said["tables"][0]["cells"] for said in (enlarged, plain))
    assert [cell.pop("box") for cell in cells] == [[3 * side for side in cell.pop("box")] for cell in small]
    assert enlarged == plain


@pytest.mark.parametrize("reading", [READING, Reading("", (), (), (), "12")], ids=["a page", "blank"])
def test_the_command_writes_the_same_objects(reading: Reading) -> None:
    stream = StringIO()
    writer = JsonWriter(stream)
    writer.row(Row(Path("page.png"), reading, None))
    writer.end()
    (written,) = json.loads(stream.getvalue())["files"]
    assert written.pop("file") == "page.png"
    assert json.dumps(written) == json.dumps(said(ReadAnswer.of(reading)))  # the order of fields, too


def test_predict_answer_knows_no_signs() -> None:
    answer = PredictAnswer.model_validate(Prediction(3, 0.91, digit(3, 0).probabilities, None, "12"))
    assert list(said(answer)) == ["digit", "confidence", "probabilities", "rejected", "model"]
