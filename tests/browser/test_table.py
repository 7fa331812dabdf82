"""A photo of a table on the page: shown as a table, inspected by cell, corrected, copied and downloaded."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Running, open_page
from tests.browser.hand import answer, draw
from tests.browser.pictures import encoded, photo_of_table

ROWS, COLUMNS = 12, 5
RIGHT = 57  # of the 60 numbers, because the tests' model was trained on few digits

Table = list[tuple[int, int, list[int]]]
"""Cells by row and column, with the indices of the numbers in them."""


@pytest.fixture(scope="module")
def numbers() -> list[list[str]]:
    rng = np.random.default_rng(60)
    return [[str(number) for number in row] for row in rng.integers(1, 1000, (ROWS, COLUMNS))]


@pytest.fixture(scope="module")
def photo(numbers: list[list[str]]) -> bytes:
    """A phone's photo of a sheet with these numbers in a printed table, written with a pen."""
    return encoded(photo_of_table(numbers), "JPEG")


@pytest.fixture
def uploaded(page: Page, photo: bytes) -> Page:
    page.set_input_files("#file", {"name": "marks.jpg", "mimeType": "image/jpeg", "buffer": photo})
    expect(page.locator("#table")).to_be_visible()
    return page


def _cells(page: Page) -> list[list[str]]:
    rows: list[list[str]] = page.locator("#table-cells tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.querySelectorAll('input')].map((input) => input.value))"
    )
    return rows


def _kept(page: Page, folder: Path) -> list[list[str]]:
    """The table in the downloaded file."""
    with page.expect_download() as download:
        page.click("#table-download")
    assert download.value.suggested_filename == "marks.csv"
    path = folder / "marks.csv"
    download.value.save_as(path)
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_a_photo_of_sixty_numbers_becomes_a_csv_file(
    uploaded: Page, numbers: list[list[str]], tmp_path: Path
) -> None:
    expect(uploaded.locator("#verdict")).to_have_text(f"A table of {ROWS} by {COLUMNS} cells")
    shown = _cells(uploaded)
    right = [
        said == meant
        for row, truth in zip(shown, numbers, strict=True)
        for said, meant in zip(row, truth, strict=True)
    ]
    assert sum(right) >= RIGHT
    assert _kept(uploaded, tmp_path) == shown


def test_a_cell_shows_what_was_written_and_takes_a_correction(uploaded: Page, tmp_path: Path) -> None:
    expected = _cells(uploaded)
    cell = uploaded.get_by_label("Row 3, column 2")
    expect(uploaded.locator("#crop")).to_be_hidden()
    cell.click()
    expect(uploaded.locator("#crop")).to_be_visible()
    (outline,) = uploaded.locator("#marks .mark").all()
    paper, box = uploaded.locator("#paper").bounding_box(), outline.bounding_box()
    assert paper
    assert box
    assert paper["x"] < box["x"] < box["x"] + box["width"] < paper["x"] + paper["width"]
    ink = uploaded.locator("#crop").evaluate(
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        ".filter((_, i) => i % 4 === 0).reduce((least, light) => Math.min(least, light), 255)"
    )
    assert ink < 140
    cell.fill('8,5 "x"')
    cell.press("Enter")
    expect(uploaded.get_by_label("Row 4, column 2")).to_be_focused()
    uploaded.click("#recognise")  # the same answer again leaves what was corrected
    uploaded.wait_for_timeout(1500)
    expected[2][1] = '8,5 "x"'
    assert _kept(uploaded, tmp_path) == expected


@pytest.mark.parametrize("clipboard", [True, False])
def test_copy_pastes_into_a_spreadsheet_as_cells(
    context: BrowserContext, running: Running, photo: bytes, clipboard: bool
) -> None:
    """`clipboard`: whether the browser allows the page to use the clipboard, as over HTTPS."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_page(context, running)
    if not clipboard:
        page.evaluate("navigator.clipboard.writeText = undefined")
    page.set_input_files("#file", {"name": "marks.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.click("#table-copy")
    expect(page.locator("#table-said")).to_contain_text("Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert [line.split("\t") for line in text.splitlines()] == _cells(page)


@pytest.mark.heavy
@pytest.mark.parametrize("lost_by", ["#canvas", "#clear"])
def test_corrections_come_back_when_a_stroke_or_clear_is_undone(uploaded: Page, lost_by: str) -> None:
    cell = uploaded.get_by_label("Row 3, column 2")
    cell.fill("corrected")
    uploaded.click(lost_by)
    uploaded.wait_for_timeout(1500)
    uploaded.click("#undo")
    expect(cell).to_have_value("corrected")


def _answered(
    page: Page, tables: list[Table], texts: dict[str, float | None] | None = None, printed: str = ""
) -> None:
    """Draw, and answer with tables of these cells; `texts`: the numbers with their confidences."""
    box = [0, 0, 9, 9]
    shown = [
        {
            "rows": 1 + max(row for row, _, _ in cells),
            "columns": 1 + max(column for _, column, _ in cells),
            "cells": [
                {"row": row, "column": column, "box": box, "numbers": own} for row, column, own in cells
            ],
        }
        for cells in tables
    ]
    numbers = [
        {
            "text": text,
            "confidence": sure,
            "box": box,
            "marks": [],
            "row": 0,
            "column": 0,
            "printed": text == printed,
        }
        for text, sure in (texts or {}).items()
    ]
    said = {"text": "", "numbers": numbers, "digits": [], "tables": shown, "model": "default"}
    page.route("**/ask/read", lambda route: route.fulfill(json=said))
    draw(page, 4)
    expect(page.locator("#table")).to_be_visible()


@pytest.mark.heavy
def test_an_empty_cell_of_a_single_column_parts_no_table(page: Page, tmp_path: Path) -> None:
    _answered(page, [[(row, 0, []) for row in range(3)]])
    with page.expect_download() as download:
        page.click("#table-download")
    path = tmp_path / "table.csv"
    download.value.save_as(path)
    assert path.read_bytes() == b'""\r\n' * 3


def test_a_screen_reader_is_told_which_cells_to_check(page: Page) -> None:
    cells = [(0, column, [column]) for column in range(3)]
    _answered(page, [cells], {"47": 0.99, "12": 0.5, "2?7": None})
    names = ["Row 1, column 1", "Row 1, column 2, doubtful", "Row 1, column 3, not read"]
    fields = page.locator("#table-cells input")
    assert [field.get_attribute("aria-label") for field in fields.all()] == names
    marked = [field.evaluate("(field) => getComputedStyle(field).boxShadow") for field in fields.all()]
    assert [shadow != "none" for shadow in marked] == [False, True, True]  # by more than a colour
    fields.nth(2).fill("247")
    expect(fields.nth(2)).to_have_attribute("aria-label", "Row 1, column 3")


@pytest.mark.heavy
def test_cells_of_two_tables_have_names_of_their_own(page: Page) -> None:
    _answered(page, [[(0, 0, []), (0, 1, [])], [(0, 0, [])]])
    names = page.locator("#table-cells input").evaluate_all("(all) => all.map((field) => field.ariaLabel)")
    assert names == ["Table 1: Row 1, column 1", "Table 1: Row 1, column 2", "Table 2: Row 1, column 1"]


@pytest.mark.heavy
def test_keys_pass_over_a_cell_that_was_not_found(page: Page) -> None:
    _answered(
        page, [[(row, column, []) for row in range(5) for column in range(2) if (row, column) != (2, 1)]]
    )
    first, last = (page.get_by_label(f"Row {row}, column 2") for row in (2, 4))
    for key, start, end in (("ArrowDown", first, last), ("ArrowUp", last, first), ("Enter", first, last)):
        start.press(key)
        expect(end).to_be_focused()
    page.get_by_label("Row 5, column 2").press("Enter")
    expect(page.get_by_label("Row 5, column 2")).to_be_focused()


@pytest.mark.heavy
def test_the_same_answer_again_leaves_the_cell_that_is_looked_at(page: Page) -> None:
    _answered(page, [[(0, 0, []), (0, 1, [])]])
    page.get_by_label("Row 1, column 2").click()
    expect(page.locator("#crop")).to_be_visible()
    with page.expect_response("**/ask/read"):
        page.click("#recognise")
    page.wait_for_timeout(300)
    expect(page.locator("#crop")).to_be_visible()
    expect(page.locator("#marks .mark")).to_have_count(1)


@pytest.mark.heavy
def test_copied_is_said_only_where_it_was(page: Page) -> None:
    _answered(page, [[(0, 0, []), (0, 1, [])]])
    page.evaluate("navigator.clipboard.writeText = undefined; document.execCommand = () => false")
    page.click("#table-copy")
    expect(page.locator("#table-said")).to_contain_text("does not allow copying")


def test_printed_numbers_are_grey_and_said_to_be_printed(page: Page) -> None:
    _answered(page, [[(0, 0, [0]), (0, 1, [1])]], {"7": 0.99, "8": 0.99}, printed="7")
    printed, written = page.get_by_label("Row 1, column 1"), page.get_by_label("Row 1, column 2")
    expect(printed).to_have_accessible_name("Row 1, column 1, printed")
    expect(written).to_have_accessible_name("Row 1, column 2")
    expect(page.locator("#table-said")).to_contain_text("grey is printed")
    colours = [cell.evaluate("(cell) => getComputedStyle(cell).color") for cell in (printed, written)]
    assert colours[0] != colours[1]
    printed.fill("1")
    expect(printed).to_have_accessible_name("Row 1, column 1")
    expect(printed).to_have_class("corrected")


@pytest.mark.heavy
def test_a_drawing_takes_the_place_of_a_table(uploaded: Page) -> None:
    uploaded.click("#clear")
    expect(uploaded.locator("#table")).to_be_hidden()
    draw(uploaded, 4)
    assert answer(uploaded) == "4"
    expect(uploaded.locator(".chances")).to_be_visible()
