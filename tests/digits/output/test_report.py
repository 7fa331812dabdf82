"""Readings as text, CSV and JSON."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from digits.output.report import WRITERS, Row
from digits.results import Mark, Number, Reading

ANY = tuple(0.1 for _ in range(10))


def mark(letter: str, confidence: float) -> Mark:
    """A digit, a sign, or `?`."""
    if letter == "?":
        return Mark(None, None, ANY, "not_a_digit", (1, 2, 3, 4))
    if letter in ("-", ".", ","):
        return Mark(None, None, ANY, None, (1, 2, 3, 4), letter)  # type: ignore[arg-type]  # one of the three
    return Mark(int(letter), confidence, ANY, None, (1, 2, 3, 4))


def reading(text: str, *of_numbers: float | None, of_marks: tuple[float, ...] = ()) -> Reading:
    """A reading of this text; the confidences are those of its numbers, and of its digits (0.9)."""
    sure = iter(of_marks)
    marks = tuple(
        mark(letter, next(sure, 0.9) if letter.isdigit() else 0) for letter in text if not letter.isspace()
    )
    numbers, first = [], 0
    for word, confidence in zip(text.split(), of_numbers, strict=True):
        numbers.append(Number(word, confidence, (1, 2, 3, 4), tuple(range(first, first + len(word)))))
        first += len(word)
    return Reading(text, tuple(numbers), marks, (), "12")


SHEET = reading("-3,5 12\n2?47", 0.991, 0.98, None, of_marks=(0.999, 0.992, 0.99, 0.985, 0.5, 0.9, 0.9))


def written(kind: str, *rows: Row) -> str:
    stream = StringIO()
    writer = WRITERS[kind](stream)
    for row in rows:
        writer.row(row)
    writer.end()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (SHEET, "-3,5 12 / 2?47 (99.1%, 98.0%, ?)"),
        (reading("207", 0.9, of_marks=(0.999, 0.95, 0.98)), "207 (99.9%, 95.0%, 98.0%)"),
        (reading("-3.5", 0.9, of_marks=(0.999, 0.95)), "-3.5 (99.9%, 95.0%)"),
        (reading("2?", None, of_marks=(0.999,)), "2? (99.9%, ?)"),
        (reading("-", 1.0), "-"),
        (reading(""), "blank"),
    ],
    ids=["several numbers", "one number", "signs", "unread", "a sign alone", "blank"],
)
def test_text_has_a_percentage_a_digit_or_a_number(read: Reading, line: str) -> None:
    assert written("text", Row(Path("sheet.png"), read, None)) == f"sheet.png: {line}\n"


def test_csv_has_the_least_sure_digit_and_counts_what_is_not_read() -> None:
    text = written("csv", Row(Path("sheet.png"), SHEET, None), Row(Path("bad.png"), None, "It is broken."))
    (sheet, bad) = csv.DictReader(StringIO(text, newline=""))
    assert sheet == {
        "file": "sheet.png",
        "text": "-3,5 12\n2?47",
        "confidence": "0.5000",
        "rejected": "1",
        "error": "",
    }
    assert (bad["text"], bad["confidence"], bad["rejected"], bad["error"]) == ("", "", "", "It is broken.")


def test_csv_of_a_sign_alone_has_no_confidence_and_nothing_that_is_not_read() -> None:
    (row,) = csv.DictReader(StringIO(written("csv", Row(Path("a.png"), reading("-", 1.0), None))))
    assert (row["text"], row["confidence"], row["rejected"]) == ("-", "", "0")


def test_json_has_numbers_and_signs() -> None:
    (sheet,) = json.loads(written("json", Row(Path("sheet.png"), SHEET, None)))
    assert list(sheet) == ["file", "text", "numbers", "digits", "tables", "model"]
    assert [(number["text"], number["marks"]) for number in sheet["numbers"]] == [
        ("-3,5", [0, 1, 2, 3]),
        ("12", [4, 5]),
        ("2?47", [6, 7, 8, 9]),
    ]
    assert [each["sign"] for each in sheet["digits"][:4]] == ["-", None, ",", None]
    assert sheet["digits"][0]["confidence"] is None
