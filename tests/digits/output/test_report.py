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
    """A reading of this text, with the confidences of its numbers, and those of its digits (default: 0.9)."""
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
        (SHEET, "-3,5 12 / 2?47 (99.1 %, 98.0 %, ?)"),
        (reading("207", 0.9, of_marks=(0.999, 0.95, 0.98)), "207 (99.9 %, 95.0 %, 98.0 %)"),
        (reading("-3.5", 0.9, of_marks=(0.999, 0.95)), "-3.5 (99.9 %, 95.0 %)"),
        (reading("2?", None, of_marks=(0.999,)), "2? (99.9 %, ?)"),
        (reading("21", 1.0, of_marks=(1.0, 0.9999)), "21 (99.9 %, 99.9 %)"),
        (reading("-", 1.0), "-"),
        (reading(""), "blank"),
    ],
    ids=["several numbers", "one number", "signs", "unread", "sure", "a sign alone", "blank"],
)
def test_text_has_a_percentage_a_digit_or_a_number(read: Reading, line: str) -> None:
    assert written("text", Row(Path("sheet.png"), read, None)) == f"sheet.png: {line}\n"


def csv_rows(*rows: Row) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(written("csv", *rows), newline="")))


def test_csv_has_a_row_a_number() -> None:
    assert csv_rows(Row(Path("sheet.png"), SHEET, None)) == [
        dict(file="sheet.png", line=line, number=number, text=text, confidence=sure, rejected=no, error="")
        for line, number, text, sure, no in (
            ("1", "1", "-3,5", "0.9910", "0"),
            ("1", "2", "12", "0.9800", "0"),
            ("2", "1", "2?47", "", "1"),
        )
    ]


def test_csv_has_a_row_for_a_file_without_numbers_and_for_one_that_cannot_be_read() -> None:
    blank, bad = csv_rows(
        Row(Path("blank.png"), reading(""), None), Row(Path("bad.png"), None, "It is broken.")
    )
    assert list(blank.values()) == ["blank.png", "", "", "", "", "0", ""]
    assert list(bad.values()) == ["bad.png", "", "", "", "", "", "It is broken."]


def test_csv_has_no_line_break_in_a_cell() -> None:
    text = written(
        "csv",
        Row(Path("two\nlines.png"), SHEET, None),
        Row(Path("bad.png"), None, "It is broken:\r\nheader missing."),
    )
    assert text.count("\n") == 1 + 3 + 1
    assert "It is broken: header missing." in text


def test_csv_rounds_no_confidence_up_to_a_certainty() -> None:
    (row,) = csv_rows(Row(Path("a.png"), reading("7", 0.99997), None))
    assert row["confidence"] == "0.9999"


def test_json_has_numbers_and_signs() -> None:
    (sheet,) = json.loads(written("json", Row(Path("sheet.png"), SHEET, None)))["files"]
    assert list(sheet) == ["file", "text", "numbers", "digits", "tables", "model"]
    assert [(number["text"], number["marks"]) for number in sheet["numbers"]] == [
        ("-3,5", [0, 1, 2, 3]),
        ("12", [4, 5]),
        ("2?47", [6, 7, 8, 9]),
    ]
    assert [each["sign"] for each in sheet["digits"][:4]] == ["-", None, ",", None]
    assert sheet["digits"][0]["confidence"] is None


def test_json_ends_with_a_summary() -> None:
    read = json.loads(
        written(
            "json", *[Row(Path("sheet.png"), SHEET, None)] * 2, Row(Path("bad.png"), None, "It is broken.")
        )
    )
    assert list(read) == ["files", "summary"]
    assert read["files"][2] == {"file": "bad.png", "error": "It is broken."}
    assert 0 <= read["summary"].pop("seconds") < 5
    assert read["summary"] == {"files": 3, "read": 2, "failed": 1, "numbers": 6, "complete": True}


def test_json_of_no_files_is_whole_too() -> None:
    read = json.loads(written("json"))
    assert (read["files"], read["summary"]["files"]) == ([], 0)


@pytest.mark.parametrize("kind", ["text", "csv", "json"])
def test_rows_are_written_as_they_come(kind: str, tmp_path: Path) -> None:
    """A program that reads the output through a pipe gets each row as soon as its file has been read."""
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8") as stream:
        writer = WRITERS[kind](stream)
        writer.row(Row(Path("sheet.png"), SHEET, None))
        assert "sheet.png" in path.read_text(encoding="utf-8")
