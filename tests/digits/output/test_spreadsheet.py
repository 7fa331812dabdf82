"""Readings as rows and cells."""

from __future__ import annotations

import csv
import io

from digits.output.spreadsheet import beside_tables, csv_of, tables_of
from digits.results import Number, Reading, TableCell, TableReading

BOX = (0, 0, 9, 9)


def number(text: str, confidence: float | None = 0.99) -> Number:
    return Number(text, confidence, BOX, ())


def cell(row: int, column: int, *numbers: int) -> TableCell:
    return TableCell(row, column, BOX, numbers)


NUMBERS = (number("2026"), number("47"), number("2?7", None), number("-3,5", 0.6), number("8"), number("9"))
TABLE = TableReading(
    2, 3, (cell(0, 0, 1), cell(0, 1), cell(0, 2, 2), cell(1, 0), cell(1, 1, 3), cell(1, 2, 4, 5))
)
SHEET = Reading("2026\n47 2?7\n-3,5 8 9", NUMBERS, (), (TABLE,), "12")
ROWS = [["47", "", "2?7"], ["", "-3,5", "8 9"]]


def test_cells_stand_where_they_do_on_the_paper() -> None:
    assert tables_of(SHEET) == [ROWS]
    assert beside_tables(SHEET) == 1


def test_doubtful_numbers_are_marked_and_unread_ones_stay() -> None:
    assert tables_of(SHEET, 0.9) == [[["47", "", "2?7"], ["", "-3,5 ?", "8 9"]]]


def test_csv_is_what_a_reader_of_csv_reads() -> None:
    assert list(csv.reader(io.StringIO(csv_of(SHEET)))) == ROWS
    assert csv_of(SHEET) == '47,,2?7\r\n,"-3,5",8 9\r\n'


def test_two_tables_are_parted_by_an_empty_line() -> None:
    both = Reading(SHEET.text, NUMBERS, (), (TABLE, TABLE), "12")
    assert list(csv.reader(io.StringIO(csv_of(both)))) == [*ROWS, [], *ROWS]


def test_without_a_table_each_line_is_a_row() -> None:
    plain = Reading(SHEET.text, NUMBERS, (), (), "12")
    assert tables_of(plain) == [[["2026"], ["47", "2?7"], ["-3,5", "8", "9"]]]
    assert beside_tables(plain) == 0


def test_a_blank_picture_is_an_empty_file() -> None:
    assert csv_of(Reading("", (), (), (), "12")) == ""
