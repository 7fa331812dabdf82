"""Tests of distinguishing printed words from handwritten numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from digits.layout.atoms import Atom, Run
from digits.layout.printed_words import printed
from digits.reader import Reader

READER = Reader.load()


def letters(heights: list[int], left: int = 0, foot: int = 100, drift: int = 0) -> list[Run]:
    """A word with letters of these heights, each a run and `drift` pixels lower than the one before."""
    runs = []
    for place, height in enumerate(heights):
        x, bottom = left + 14 * place, foot + drift * place
        pixels = np.full((height, 10), 255, np.uint8)
        runs.append(Run((Atom((x, bottom - height, x + 10, bottom), pixels),), 30))
    return runs


def unread(*marks: str) -> list[list[bool]]:
    """For each letter of each word, whether the network does not recognise it (`?`)."""
    return [[mark == "?"] for word in marks for mark in word]


def test_a_word_of_two_heights_that_is_hardly_read_is_printed() -> None:
    assert printed(letters([30, 21, 21, 30]), unread("0??1")) == {0, 1, 2, 3}


def test_three_marks_alone_are_no_print_but_beside_print_they_are() -> None:
    three, name = letters([25, 20, 25]), letters([30, 21, 21, 30], left=200)
    assert printed(three, unread("???")) == set()
    assert printed([*three, *name], unread("???", "0??1")) == set(range(7))


def test_a_number_that_is_read_is_not_printed_however_even() -> None:
    assert printed(letters([30, 30, 30, 30]), unread("2024")) == set()
    assert printed(letters([30, 21, 21, 30]), unread("2024")) == set()


def test_what_a_hand_wrote_is_kept_as_marks_even_where_little_is_read() -> None:
    assert printed(letters([30, 25, 33, 28], drift=3), unread("1??4")) == set()


def test_a_long_word_is_told_by_how_even_it_is() -> None:
    heights = [30, 21, 30, 30, 21, 21, 30, 21]
    assert printed(letters(heights), unread("8117?111")) == set(range(8))
    assert printed(letters(heights[:4]), unread("8117")) == set()


def test_a_short_word_of_the_same_type_is_printed_too() -> None:
    runs = [*letters([30, 21, 21, 30]), *letters([21, 21], left=100), *letters([34, 33], left=200)]
    assert printed(runs, unread("0??1", "1?", "??")) == {0, 1, 2, 3, 4, 5}


def test_the_next_word_of_a_printed_line_is_printed_though_it_looks_like_digits() -> None:
    runs = [*letters([30, 21, 21, 30]), *letters([30, 21, 30, 30], left=90)]
    assert printed(runs, unread("0??1", "7911")) == set(range(8))


@pytest.mark.parametrize("foot", [104, 96])
def test_a_number_beside_a_label_is_read(foot: int) -> None:
    runs = [*letters([30, 21, 21, 30]), *letters([30, 30, 29], left=90, foot=foot)]
    assert printed(runs, unread("0??1", "250")) == {0, 1, 2, 3}


def filled_in(heights: list[int], top: int = 0) -> list[Run]:
    """A number with digits of this height where a form is filled in."""
    return [replace(run, filled_in=True) for run in letters(heights, left=300 + top)]


def test_a_forms_type_is_left_out_though_its_letters_look_like_digits() -> None:
    runs = [*letters([30, 26, 23, 21, 30]), *filled_in([60, 57, 62])]
    assert printed(runs, unread("70?21", "250")) == set(range(5))


@pytest.mark.parametrize(
    ("heights", "marks"),
    [
        ([30, 26, 23, 21, 30], "70121"),  # all are digits
        ([58, 55, 60, 54, 57], "70?21"),  # as high as what is filled in
        ([30, 26], "7?"),  # too few letters for a label
    ],
)
def test_what_may_be_written_beside_a_form_is_read(heights: list[int], marks: str) -> None:
    runs = [*letters(heights), *filled_in([60, 57, 62])]
    assert printed(runs, unread(marks, "2?0")) == set()


def test_without_anything_filled_in_small_writing_is_read() -> None:
    runs = [*letters([30, 26, 23, 21, 30]), *letters([60, 57, 62], left=300)]
    assert printed(runs, unread("70?21", "250")) == set()


def test_a_label_before_a_line_to_write_on_is_left_out() -> None:
    paper = Image.new("L", (700, 260), 240)
    draw = ImageDraw.Draw(paper)
    draw.text((40, 170), "Total", fill=40, font=ImageFont.load_default(30), anchor="ls")
    draw.line((200, 180, 640, 180), fill=40, width=3)
    draw.text((230, 172), "4 7 2", fill=40, font=ImageFont.load_default(90), anchor="ls")
    assert READER.read(paper).text.replace(" ", "") == "472"


def heading(*words: list[int]) -> list[Run]:
    """Words with letters of these heights, each in a separate cell of a table's first row."""
    return [
        replace(run, filled_in=True, heading=cell)
        for cell, heights in enumerate(words, 1)
        for run in letters(heights, left=100 * cell, foot=40)
    ]


def test_a_heading_of_short_words_is_left_out_and_a_number_in_it_read() -> None:
    runs = [*heading([30, 21], [30, 22, 21], [30, 30], [30, 21, 21]), *filled_in([60, 57, 62])]
    assert printed(runs, unread("1?", "?4?", "24", "511", "250")) == {0, 1, 2, 3, 4, 7, 8, 9}


def test_a_heading_as_high_as_the_hand_is_left_out_where_half_of_it_is_no_digit() -> None:
    runs = [*heading([60, 42], [60, 42, 41], [60, 55]), *filled_in([60, 57, 62])]
    assert printed(runs, unread("1?", "???", "24", "250")) == {0, 1, 2, 3, 4}
    assert printed(runs, unread("1?", "???", "24", "2?0")) == set()  # the numbers below are unclear, too


@pytest.mark.parametrize(
    ("words", "marks", "below"),
    [
        (([60, 55], [52, 58], [57]), ("47", "1?", "3"), ([60, 57, 62])),  # a number struck out
        (([30, 21], [30, 22, 21]), ("47", "123"), ([60, 57, 62])),  # small, but all are digits
        (
            ([65], [27, 30], [33], [30], [72], [35], [70]),
            ("3", "??", "4", "?", "5", "?", "7"),
            ([60, 57, 62]),
        ),
        (([30, 21], [30, 22, 21]), ("1?", "?4?"), []),  # nothing below to compare
    ],
)
def test_a_first_row_by_hand_is_read(
    words: tuple[list[int], ...], marks: tuple[str, ...], below: list[int]
) -> None:
    runs = [*heading(*words), *filled_in(below)]
    assert printed(runs, unread(*marks, "2" * len(below))) == set()


def test_words_above_a_tables_columns_are_left_out() -> None:
    paper = Image.new("L", (640, 400), 240)
    draw = ImageDraw.Draw(paper)
    for x in (20, 170, 320, 470, 620):
        draw.line((x, 20, x, 380), fill=40, width=3)
    for y in (20, 110, 200, 290, 380):
        draw.line((20, y, 620, y), fill=40, width=3)
    for column, word in enumerate(["Name", "Age", "Kg", "Nr."]):
        place = (50 + 150 * column, 80)
        draw.text(place, word, fill=40, font=ImageFont.load_default(36), anchor="ls")
    for row in range(3):
        for column in range(4):
            place = (75 + 150 * column, 184 + 90 * row)
            draw.text(place, str(2 + row + column), fill=40, font=ImageFont.load_default(80), anchor="ls")
    reading = READER.read(paper)
    assert reading.text == "2 3 4 5\n3 4 5 6\n4 5 6 7"
    assert {number.row for number in reading.numbers} == {1, 2, 3}


def test_nothing_is_no_word() -> None:
    assert printed([], []) == set()


@pytest.mark.parametrize("size", [18, 30, 48])
@pytest.mark.parametrize("words", ["Please fill in", "Invoice number 4711", "Name"])
def test_type_is_left_out(words: str, size: int) -> None:
    assert READER.read(_typed(words, size)).text == ""


def test_printed_digits_are_read() -> None:
    assert READER.read(_typed("2024", 40)).text == "2024"


def _typed(words: str, size: int) -> Image.Image:
    paper = Image.new("L", (size * 16, size * 3), 240)
    ImageDraw.Draw(paper).text((size, size), words, fill=40, font=ImageFont.load_default(size))
    return paper
