from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.atoms import Run, joined
from digits.layout.grid import grids_of
from digits.layout.grouping import Found
from digits.layout.numbers import Group, numbers_of
from digits.layout.page import Page
from tests.behaviour.drawing import drawing, ruled
from tests.digits.layout.forms import X, Y, comb, in_perspective, leaning, page_of, ruled_grid, sheet, write

BOXES = tuple(range(40, 461, 70))


def _found(run: Run) -> Found:
    """The run as one mark, whatever its content."""
    return Found(joined(run.atoms), np.zeros((28, 28), np.float32), np.full(10, 0.1, np.float32), 0.0)


def _groups(page: Page) -> list[list[Group]]:
    found = [[_found(run) for run in line.runs] for line in page.lines]
    return numbers_of(page, found, grids_of(page, found))


def _sizes(page: Page) -> list[list[int]]:
    """The number of marks in each number, line by line."""
    return [[len(group.marks) for group in groups] for groups in _groups(page)]


def _filled(grey: Grey) -> Grey:
    """Two digits in each cell of a grid except for the middle one."""
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                grey = write(grey, "38", (X[column] + 15, Y[row] + 18), 46)
    return grey


def test_a_blank_sheet_has_no_lines() -> None:
    assert page_of(sheet(300, 200)).lines == []


@pytest.mark.parametrize("paper", ["white", "ruled", "squared"])
def test_lines_come_from_the_top_on_any_paper(paper: str) -> None:
    grey = write(write(sheet(700, 400), "3869", (40, 240), 80, 6), "205", (60, 60), 80, 6)
    if paper != "white":
        grey = ruled(grey, squared=paper == "squared")
    page = page_of(grey)
    assert [len(line.runs) for line in page.lines] == [3, 4]
    assert [line.table for line in page.lines] == [None, None]
    assert _sizes(page) == [[3], [4]]


def test_wide_gaps_part_the_numbers_of_a_line() -> None:
    grey = write(write(sheet(800, 200), "386", (40, 60), 80, 6), "25", (500, 60), 80, 6)
    assert _sizes(page_of(grey)) == [[3, 2]]


def test_signs_are_marks_of_their_number() -> None:
    grey = write(sheet(800, 200), "386", (140, 60), 80, 6)
    grey[97:103, 80:118] = 0
    page = page_of(grey)
    assert [run.sign for run in page.lines[0].runs] == ["-", None, None, None]
    assert _sizes(page) == [[4]]


@pytest.mark.parametrize("view", ["flat", "perspective", "leaning"])
@pytest.mark.parametrize("thickness", [1, 2, 4])
def test_each_cell_of_a_grid_holds_a_number_of_its_own(view: str, thickness: int) -> None:
    grey = _filled(ruled_grid(sheet(440, 340), X, Y, thickness))
    grey = {"flat": grey, "perspective": in_perspective(grey), "leaning": leaning(grey, 4)}[view]
    page = page_of(grey)
    assert len(page.cells.found) == 9
    places = [[(group.row, group.column) for group in groups] for groups in _groups(page)]
    assert places == [[(0, 0), (0, 1), (0, 2)], [(1, 0), (1, 2)], [(2, 0), (2, 1), (2, 2)]]
    assert _sizes(page) == [[2, 2, 2], [2, 2], [2, 2, 2]]


@pytest.mark.parametrize("view", ["flat", "perspective", "leaning"])
@pytest.mark.parametrize("gap", [30, 80, 160])
def test_two_tables_of_different_widths_are_two(gap: int, view: str) -> None:
    grey = ruled_grid(sheet(560, 620), (40, 160, 280, 400, 520), (40, 110, 180))
    below = 180 + gap
    grey = ruled_grid(grey, (40, 120, 200), (below, below + 70, below + 140, below + 210))
    for row in range(2):
        grey = write(grey, "38", (420, 55 + 70 * row), 40)  # in the upper one's last column
    for row in range(3):
        grey = write(grey, "7", (145, below + 15 + 70 * row), 40)
    page = page_of({"flat": grey, "perspective": in_perspective(grey), "leaning": leaning(grey, 3)}[view])
    assert [[len(row) for row in table.rows] for table in page.tables] == [[4, 4], [2, 2, 2]]
    assert [page.tables.index(line.table) for line in page.lines if line.table] == [0, 0, 1, 1, 1]
    places = [[(group.row, group.column) for group in groups] for groups in _groups(page)]
    assert places == [[(0, 3)], [(1, 3)], [(0, 1)], [(1, 1)], [(2, 1)]]


@pytest.mark.parametrize("cell", [60, 100])
def test_a_table_that_fills_the_picture_is_a_page(cell: int) -> None:
    places = tuple(range(2, 3 * cell + 3, cell))
    grey = ruled_grid(sheet(3 * cell + 4, 3 * cell + 4), places, places)
    for left, top in product(places[:-1], places[:-1]):
        grey = write(grey, "6", (left + cell // 4, top + cell // 4), cell // 2, 3)
    assert sum(len(line.runs) for line in page_of(grey).lines) == 9


@pytest.mark.parametrize("dash", [0, 6])
def test_a_single_row_of_boxes_is_one_number(dash: int) -> None:
    printed = ruled_grid(sheet(500, 160), BOXES, (40, 120), 2, dash=dash)
    page = page_of(write(printed, "264809", (55, 55), 50, step=1.75))
    assert _sizes(page) == [[6]]
    ((group,),) = _groups(page)
    assert (group.row, group.column) == (None, None)


@pytest.mark.parametrize("level", [120, 150, 190])
def test_boxes_on_ruled_paper_are_one_number(level: int) -> None:
    printed = ruled_grid(ruled(sheet(520, 240), gap=36, level=level), tuple(range(60, 461, 80)), (80, 170), 3)
    page = page_of(write(printed, "26480", (78, 95), 56, step=80 / 0.8 / 56))
    assert _sizes(page) == [[5]]


def test_an_empty_box_between_parts_no_number() -> None:
    printed = ruled_grid(sheet(500, 160), BOXES, (40, 120), 2)
    page = page_of(write(write(printed, "26", (55, 55), 50, step=1.75), "809", (265, 55), 50, step=1.75))
    assert _sizes(page) == [[5]]


def test_the_fields_of_a_comb_are_one_number() -> None:
    page = page_of(write(comb(sheet(500, 180), BOXES, 130, 20), "264809", (52, 60), 56, step=1.5625))
    assert _sizes(page) == [[6]]


def test_separate_boxes_in_a_row_are_one_number() -> None:
    grey = sheet(520, 160)
    for left in range(40, 460, 100):
        grey = write(ruled_grid(grey, (left, left + 70), (40, 120)), "6", (left + 15, 55), 50)
    assert _sizes(page_of(grey)) == [[5]]


def test_separate_boxes_in_rows_keep_their_columns() -> None:
    grey = sheet(520, 260)
    for top in (30, 140):
        for left in range(40, 460, 100):
            box = ruled_grid(grey, (left, left + 70), (top, top + 80))
            grey = write(box, "6", (left + 15, top + 15), 50)
    places = [[(group.row, group.column) for group in groups] for groups in _groups(page_of(grey))]
    assert places == [[(row, column) for column in range(5)] for row in range(2)]


@pytest.mark.parametrize("text", ["1", "1111", "20471"])
def test_an_upright_stroke_among_digits_is_writing(text: str) -> None:
    grey = drawing(text, size=(620, 200), at=(50, 40), box=110, pen=8, step=1.1)
    page, ink = page_of(grey), grey < 128
    assert sum(len(line.runs) for line in page.lines) == len(text)
    assert page.ink.mask[ink].mean() > 0.97


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("height", "pen"), [(36, 3), (46, 4), (60, 3), (60, 7)])
def test_no_digit_in_a_cell_is_taken_for_a_box(digit: int, height: int, pen: float) -> None:
    printed, alone = ruled_grid(sheet(440, 340), X, Y), sheet(440, 340)
    for left, top in ((75, 60), (195, 140), (315, 220)):
        printed, alone = (write(grey, str(digit), (left, top), height, pen) for grey in (printed, alone))
    page = page_of(printed)
    assert page.ink.mask[alone < 100].mean() > 0.93
    assert _sizes(page) == [[1], [1], [1]]


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("height", "pen"), [(60, 3), (60, 8), (160, 6), (160, 20), (230, 5)])
def test_no_digit_alone_is_taken_for_lines(digit: int, height: int, pen: float) -> None:
    grey = drawing(str(digit), size=(280, 280), at=(60, 25), box=height, pen=pen)
    assert page_of(grey).ink.mask[grey < 100].mean() > 0.93


@pytest.mark.parametrize("side", ["left", "top"])
def test_a_table_that_the_picture_cuts_off_loses_no_digit(side: str) -> None:
    grey = _filled(ruled_grid(sheet(440, 340), X, Y))
    cut = grey[:, 45:] if side == "left" else grey[55:]
    assert _sizes(page_of(np.ascontiguousarray(cut))) == [[2, 2, 2], [2, 2], [2, 2, 2]]


def test_the_border_of_an_empty_form_is_no_writing() -> None:
    assert page_of(ruled_grid(sheet(440, 340), X, Y)).lines == []


def test_the_ink_of_a_page_has_no_rules() -> None:
    ink = page_of(_filled(ruled_grid(sheet(440, 340), X, Y))).ink
    pen = 255 - _filled(sheet(440, 340)) > 128
    assert ink.mask[pen].mean() > 0.98
    assert ink.mask[~pen].mean() < 0.01


@pytest.mark.parametrize("thickness", [4, 10])
def test_a_lone_zero_with_corners_is_writing(thickness: int) -> None:
    page = page_of(ruled_grid(sheet(300, 300), (100, 190), (70, 220), thickness))
    assert [len(line.runs) for line in page.lines] == [1]
    assert page.cells.found == ()


def test_a_digit_across_a_box_stays_one_mark() -> None:
    printed = ruled_grid(sheet(500, 180), BOXES, (50, 130), 2)
    page = page_of(write(printed, "264809", (50, 72), 68, pen=5, step=70 / 0.8 / 68))
    assert _sizes(page) == [[6]]


def test_digits_on_a_page_without_boxes_keep_their_place() -> None:
    page = page_of(drawing("205", size=(500, 300), at=(60, 80), box=120))
    (line,) = page.lines
    lefts = [joined(run.atoms).box[0] for run in line.runs]
    assert lefts == sorted(lefts)
    assert len(lefts) == 3


@pytest.mark.parametrize("double", [False, True])
def test_a_strip_cut_off_above_and_below_dotted_boxes_is_one_number(double: bool) -> None:
    strip = sheet(520, 58)
    for left in range(80, 460, 80):
        for x in (left, left + 14) if double else (left,):
            for top in range(3, 58, 10):
                strip[top : top + 4, x : x + 4] = 0
    assert _sizes(page_of(write(strip, "26480", (32, 10), 36, step=80 / 0.8 / 36))) == [[5]]


def test_a_box_after_a_narrow_room_that_was_not_found_is_of_its_row() -> None:
    printed = ruled_grid(sheet(400, 160), (40, 110, 122, 192, 204, 274, 286), (40, 120), 2)
    page = page_of(write(printed, "2648", (55, 55), 50, step=82 / 0.8 / 50))
    assert _sizes(page) == [[4]]


@pytest.mark.parametrize("side", [2, 8])
@pytest.mark.parametrize("size", [(60, 40), (74, 46)])
def test_a_cell_of_few_pixels_has_no_sides_in_its_ink(size: tuple[int, int], side: int) -> None:
    width, height = size
    printed = ruled_grid(sheet(width, height), (0, width), (4, height - 4), 1)
    printed[:, [side, width - side]] = 0
    page = page_of(write(printed, "6", (width // 2 - 10, 9), 26, 2))
    assert [len(line.runs) for line in page.lines] == [1]
    left, top, right, bottom = (part * page.ink.shrink for part in joined(page.lines[0].runs[0].atoms).box)
    assert side + 2 < left < right < width - side
    assert 5 < top < bottom < height - 3


@pytest.mark.parametrize(("above", "slope"), [(3, 0.004), (3, -0.008), (-3, 0.012)])
def test_a_line_that_crosses_another_is_found_when_that_is_gone(above: int, slope: float) -> None:
    grey = sheet(370, 270)
    feet = [38 + 52 * row for row in range(4)]
    for foot, text in zip(feet, ("05411", "38184", "59736", "68525"), strict=True):
        grey = write(grey, text, (20, foot - 26), 24, 4)
        grey[foot : foot + 2] = 0
    x = np.arange(370)
    crossing = np.rint(feet[-1] - above + slope * (x - 185)).astype(int)
    for y in (crossing, crossing + 1):
        grey[y, x] = np.minimum(grey[y, x], 170)
    assert [len(line.runs) for line in page_of(grey).lines] == [5, 5, 5, 5]
