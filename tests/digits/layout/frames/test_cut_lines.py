from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.cut_lines import without_cut_lines
from tests.digits.layout.forms import LEAST, sheet, write


def _dark(grey: Grey) -> Grey:
    return np.asarray(255 - grey, np.uint8)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("deep", [1, 2, 3])
def test_a_strip_along_a_border_goes_and_the_writing_stays(deep: int, turns: int) -> None:
    written = np.ascontiguousarray(np.rot90(write(sheet(160, 100), "30", (40, 30), 40), turns))
    cut = written.copy()
    cut[:deep] = 0
    assert (without_cut_lines(_dark(cut), LEAST) == _dark(written)).all()


def test_a_strip_that_leans_out_of_the_picture_goes() -> None:
    written = write(sheet(160, 100), "30", (40, 30), 40)
    cut = written.copy()
    cut[:2, :60], cut[:1, 60:110] = 0, 0
    assert (without_cut_lines(_dark(cut), LEAST) == _dark(written)).all()


def test_a_digit_that_fills_its_picture_stays() -> None:
    seven = sheet(100, 100)
    seven[:6] = 0
    for row in range(6, 100):
        seven[row, 90 - row // 2 : 98 - row // 2] = 0
    dark = _dark(seven)
    assert without_cut_lines(dark, LEAST) is dark


@pytest.mark.parametrize("part", [slice(60, 100), slice(0, 40)])
def test_a_short_stroke_at_the_border_stays(part: slice) -> None:
    cut = write(sheet(160, 100), "30", (40, 30), 40)
    cut[:2, part] = 0
    dark = _dark(cut)
    assert without_cut_lines(dark, LEAST) is dark


def test_a_strip_away_from_both_corners_stays() -> None:
    cut = write(sheet(160, 100), "30", (40, 30), 40)
    cut[:2, 20:140] = 0
    dark = _dark(cut)
    assert without_cut_lines(dark, LEAST) is dark


def test_a_thick_edge_of_a_dark_desk_stays() -> None:
    cut = write(sheet(160, 100), "30", (40, 40), 40)
    cut[:20] = 0
    dark = _dark(cut)
    assert without_cut_lines(dark, LEAST) is dark


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 3)])
def test_a_picture_of_few_pixels_is_no_mistake(shape: tuple[int, int]) -> None:
    assert without_cut_lines(np.full(shape, 255, np.uint8), LEAST).shape == shape
