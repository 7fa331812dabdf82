"""Tests of distinguishing gaps between separate boxes from cells, by their sides without lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.form.cells import find_cells
from digits.layout.form.gaps import without_gaps
from tests.digits.layout.forms import frames_of, leaning, ruled_grid, sheet


def _separate(across: int, down: int, dash: int = 0) -> Grey:
    """Two rows of three boxes of 100 by 80 pixels."""
    grey = sheet(3 * (100 + across) + 80, 2 * (80 + down) + 80)
    for top in (40, 40 + 80 + down):
        for left in range(40, 40 + 3 * (100 + across), 100 + across):
            grey = ruled_grid(grey, (left, left + 100), (top, top + 80), 2, dash=dash)
    return grey


def _count(grey: Grey) -> tuple[int, int]:
    """The numbers of cells before and after gaps are removed."""
    cells = find_cells(frames_of(grey), grey.shape)
    dark = np.asarray(255 - grey, np.uint8)
    return len(cells.found), len(without_gaps(cells, dark).found)


@pytest.mark.parametrize("degrees", [0, 3])
@pytest.mark.parametrize(("across", "down"), [(40, 40), (30, 60), (60, 24)])
def test_the_room_between_boxes_is_no_cell(across: int, down: int, degrees: float) -> None:
    grey = leaning(_separate(across, down), degrees) if degrees else _separate(across, down)
    before, after = _count(grey)
    assert after == 6 < before


def test_dashed_boxes_stay() -> None:
    assert _count(_separate(40, 40, dash=6))[1] == 6


def _table(x: Sequence[int], y: Sequence[int], dash: int = 0) -> Grey:
    return ruled_grid(sheet(x[-1] + 40, y[-1] + 40), x, y, 2, dash=dash)


@pytest.mark.parametrize("dash", [0, 6])
def test_narrow_and_low_cells_of_a_table_stay(dash: int) -> None:
    x, y = (40, 80, 200, 320, 440), (40, 80, 180, 280, 380)
    assert _count(_table(x, y, dash)) == (16, 16)


def test_the_room_between_two_tables_is_no_row() -> None:
    grey = sheet(440, 700)
    for top in (40, 400):
        grey = ruled_grid(grey, (40, 160, 280, 400), (top, top + 70, top + 140, top + 210), 2)
    assert _count(grey)[1] == 18
