"""Tests of separating the tables on a page by their connected rules."""

from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.form.apart import separate_tables
from tests.digits.layout.forms import LEAST, comb, leaning, ruled_grid, sheet, write

WIDE, NARROW = (40, 160, 280, 400, 520), (40, 110, 180)
UPPER, LOWER = (40, 100, 160, 220), (280, 330, 380)


def _two(grey: Grey | None = None) -> Grey:
    grey = ruled_grid(sheet(600, 460) if grey is None else grey, WIDE, UPPER)
    return ruled_grid(grey, NARROW, LOWER)


def _parts(grey: Grey) -> list[Grey]:
    return separate_tables(np.asarray(255 - grey, np.uint8), LEAST)


@pytest.mark.parametrize("degrees", [0, -6, 6])
def test_two_tables_are_looked_at_one_by_one(degrees: float) -> None:
    grey = write(write(_two(), "38", (60, 110), 40), "25", (60, 285), 40)
    grey = write(grey, "7", (450, 330), 60)  # in none of them
    grey = leaning(grey, degrees) if degrees else grey
    parts = _parts(grey)
    assert len(parts) == 3
    assert (np.max(parts, axis=0) == 255 - grey).all()  # each pixel is in one of them
    ink = [int((part > LEAST).sum()) for part in parts]
    assert ink[0] > ink[1] > ink[2] > 0


@pytest.mark.parametrize("ends", [(60, 100), (100, 60), (20, 140)])
def test_tables_beside_each_other_stand_apart(ends: tuple[int, int]) -> None:
    first, last = ends
    grey = ruled_grid(sheet(600, 460), (40, 120, 200), (first, first + 60, 300))
    assert len(_parts(ruled_grid(grey, (230, 300, 370, 440), (last, last + 60, 280)))) == 3


def test_a_table_alone_is_the_picture() -> None:
    grey = write(ruled_grid(sheet(600, 460), WIDE, UPPER), "25", (60, 285), 40)
    (part,) = _parts(grey)
    assert (part == 255 - grey).all()


@pytest.mark.parametrize("rows", [1, 3])
def test_boxes_are_no_tables(rows: int) -> None:
    """Boxes are recognised by other boxes in line with them, so they must not be separated."""
    grey = sheet(600, 460)
    for top in range(40, 40 + 100 * rows, 100):
        grey = ruled_grid(grey, WIDE, (top, top + 60))
    assert len(_parts(comb(grey, WIDE, 400, 30))) == 1


def test_what_a_table_stands_in_is_not_apart_from_it() -> None:
    grey = ruled_grid(sheet(600, 460), (20, 560, 580), (20, 420, 440))
    assert len(_parts(_two(grey))) == 1


def test_digits_with_loops_are_no_tables() -> None:
    grey = sheet(900, 300)
    for left in (40, 500):
        grey = write(write(grey, "8", (left, 40), 200, 12), "8", (left + 120, 40), 200, 12)
    assert len(_parts(grey)) == 1
