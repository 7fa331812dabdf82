from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.form.cells import Cells, find_cells
from digits.layout.frames.classification import Frames
from tests.behaviour.drawing import drawing, ruled
from tests.digits.layout.forms import (
    X,
    Y,
    comb,
    frames_of,
    in_perspective,
    leaning,
    rule,
    ruled_grid,
    sheet,
    write,
)


def _cells(grey: Grey) -> Cells:
    return find_cells(frames_of(grey), grey.shape)


def test_a_grid_has_a_cell_between_each_two_rules() -> None:
    cells = _cells(ruled_grid(sheet(440, 340), X, Y))
    found = sorted((cell.box for cell in cells.found), key=lambda box: (box[1], box[0]))
    expected = [(left, top, right, bottom) for top, bottom in pairwise(Y) for left, right in pairwise(X)]
    assert np.array(found) == pytest.approx(np.array(expected), abs=3)


def test_at_tells_in_which_cell_a_point_lies() -> None:
    cells = _cells(ruled_grid(sheet(440, 340), X, Y))
    for cell in cells.found:
        assert cells.at(*cell.middle) is cell
    assert cells.at(20, 20) is None
    assert cells.at(430, 170) is None
    assert cells.at(-5, 170) is None
    assert cells.at(200, 5000) is None


@pytest.mark.parametrize("view", ["perspective", "leaning"])
def test_cells_do_not_care_about_the_view(view: str) -> None:
    grey = ruled_grid(sheet(440, 340), X, Y)
    cells = _cells(in_perspective(grey, 0.12) if view == "perspective" else leaning(grey, 5))
    assert len(cells.found) == 9
    assert len({cells.at(*cell.middle) for cell in cells.found}) == 9


@pytest.mark.parametrize("times", [3, 6])
def test_cells_of_a_large_picture_are_in_its_own_pixels(times: int) -> None:
    x, y = tuple(times * place for place in X), tuple(times * place for place in Y)
    cells = _cells(ruled_grid(sheet(440 * times, 340 * times), x, y, 2 * times))
    assert cells.coarse > 1
    assert len(cells.found) == 9
    assert cells.labels.size <= 1000 * 1000
    first = min(cells.found, key=lambda cell: sum(cell.middle))
    assert first.box == pytest.approx((x[0], y[0], x[1], y[1]), abs=4 * times)
    assert cells.at((x[1] + x[2]) / 2, (y[1] + y[2]) / 2) is not None


@pytest.mark.parametrize(("right", "found"), [(660, 1), (670, 0)])
def test_rules_that_nearly_meet_close_a_cell(right: int, found: int) -> None:
    horizontal, vertical = [rule(40, 640, y) for y in (50, 250)], [rule(50, 250, x) for x in (40, right)]
    assert len(find_cells(Frames(horizontal, vertical), (300, 720)).found) == found


def test_the_room_between_double_lines_is_no_cell() -> None:
    x = sorted(X + tuple(place + 5 for place in X))
    assert len(_cells(ruled_grid(sheet(440, 340), x, Y, 1)).found) == 9


def test_dashed_boxes_are_cells() -> None:
    x = tuple(range(40, 461, 70))
    grey = write(ruled_grid(sheet(500, 160), x, (40, 120), 2, dash=6), "264809", (55, 55), 50, step=1.75)
    assert len(_cells(grey).found) == 6


def test_the_fields_of_a_comb_are_cells_above_its_base() -> None:
    x = tuple(range(40, 461, 70))
    cells = _cells(write(comb(sheet(500, 180), x, 130, 20), "264809", (52, 60), 56, step=1.5625))
    assert len(cells.found) == 6
    for cell, left in zip(sorted(cells.found, key=lambda cell: cell.box), x, strict=False):
        assert (cell.box[0], cell.box[2]) == pytest.approx((left, left + 70), abs=4)
        assert cells.at(left + 35, 105) is cell


def test_what_the_pictures_edge_cuts_off_is_a_cell_too() -> None:
    grey = sheet(440, 340)
    for row in range(3):
        for column in range(3):
            grey = write(grey, "6", (X[column] + 35, Y[row] + 18), 46)
    cut = ruled_grid(grey, X, Y)[:, 60:]
    assert len(_cells(np.ascontiguousarray(cut)).found) == 9


def test_no_lines_make_no_cells() -> None:
    cells = find_cells(Frames(), (300, 400))
    assert cells.found == ()
    assert cells.at(100, 100) is None


@pytest.mark.parametrize("squared", [False, True])
def test_ruled_paper_has_no_cells(squared: bool) -> None:
    assert _cells(ruled(drawing("253", size=(500, 300), at=(60, 80), box=120), squared=squared)).found == ()
