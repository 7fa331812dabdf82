from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.erasing import without
from digits.layout.frames import Frames
from tests.behaviour.drawing import drawing, ruled
from tests.digits.layout.forms import LEAST, comb, frames_of, in_perspective, ruled_grid, sheet, write

X, Y = (40, 160, 280, 400), (50, 130, 210, 290)


def _filled(grey: Grey) -> Grey:
    for row in range(3):
        for column in range(3):
            grey = write(grey, str(3 * row + column), (X[column] + 35, Y[row] + 18), 46)
    return grey


def _cleaned(grey: Grey) -> Grey:
    """The darkness of a sheet without its rules."""
    return without(255 - grey, frames_of(grey), LEAST)


def _shares(printed: Grey, both: Grey, digits: Grey) -> tuple[float, float]:
    """How much of the digits' ink is left, and how much of the lines'."""
    left, pen = _cleaned(both) > LEAST, 255 - digits > LEAST
    lines = (255 - printed > LEAST) & ~pen
    return float(left[pen].mean()), float(left[lines].mean())


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("level", [0, 120, 180])
def test_a_grid_goes_and_the_digits_in_it_stay(thickness: int, level: int) -> None:
    printed = ruled_grid(sheet(440, 340), X, Y, thickness, level)
    kept, lines = _shares(printed, _filled(printed), _filled(sheet(440, 340)))
    assert kept > 0.99
    assert lines < 0.02


def test_a_grid_in_perspective_goes_too() -> None:
    printed = ruled_grid(sheet(440, 340), X, Y)
    views = [in_perspective(grey) for grey in (printed, _filled(printed), _filled(sheet(440, 340)))]
    kept, lines = _shares(*views)
    assert kept > 0.98
    assert lines < 0.05


def test_dashed_boxes_go() -> None:
    x = tuple(range(40, 461, 70))
    printed = ruled_grid(sheet(500, 160), x, (40, 120), 2, dash=6)
    both, alone = (write(grey, "264809", (55, 55), 50, step=1.75) for grey in (printed, sheet(500, 160)))
    kept, lines = _shares(printed, both, alone)
    assert kept > 0.99
    assert lines < 0.05


def test_a_comb_goes() -> None:
    x = tuple(range(40, 461, 70))
    printed = comb(sheet(500, 180), x, 130, 20)
    both, alone = (write(grey, "264809", (52, 60), 56, step=1.5625) for grey in (printed, sheet(500, 180)))
    kept, lines = _shares(printed, both, alone)
    assert kept > 0.99
    assert lines < 0.05


def test_a_digit_that_crosses_its_box_stays_whole() -> None:
    printed = ruled_grid(sheet(440, 340), X, Y)
    seven = write(sheet(440, 340), "7", (190, 100), 70, pen=6)  # over the line at 130
    left = _cleaned(_filled(np.minimum(printed, seven))) > LEAST
    crossing = (255 - seven > LEAST)[124:137]
    assert left[124:137][crossing].mean() > 0.8


def test_dark_writing_along_a_faint_rule_stays() -> None:
    printed = ruled_grid(sheet(440, 340), X, Y, 2, level=170)
    foot = sheet(440, 340)
    foot[127:133, 180:240] = 0  # a digit stands with its level foot on the rule
    foot[70:133, 180:186] = 0
    left = _cleaned(_filled(np.minimum(printed, foot))) > LEAST
    assert left[127:133, 180:240].mean() > 0.9


@pytest.mark.xfail(strict=True, reason="rulings that large writing crosses often are not found")
def test_the_rulings_of_paper_go() -> None:
    plain = drawing("253", size=(600, 300), at=(60, 80), box=120)
    kept, lines = _shares(ruled(sheet(600, 300)), ruled(plain), plain)
    assert kept > 0.99
    assert lines < 0.03


def test_without_lines_nothing_changes() -> None:
    dark = 255 - drawing("253", size=(600, 300), at=(60, 80), box=120)
    assert np.array_equal(without(dark, Frames(), LEAST), dark)


def test_the_given_darkness_stays_as_it_is() -> None:
    grey = _filled(ruled_grid(sheet(440, 340), X, Y))
    dark = 255 - grey
    without(dark, frames_of(grey), LEAST)
    assert np.array_equal(dark, 255 - grey)
