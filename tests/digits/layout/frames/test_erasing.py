from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.frames.classification import Frames
from digits.layout.frames.erasing import without
from tests.behaviour.drawing import drawing, ruled
from tests.digits.layout.forms import (
    LEAST,
    X,
    Y,
    comb,
    filled,
    frames_of,
    in_perspective,
    ruled_grid,
    sheet,
    write,
)


def _cleaned(grey: Grey) -> Grey:
    """The darkness of a sheet without its rules."""
    return without(255 - grey, frames_of(grey), LEAST)


def _shares(printed: Grey, both: Grey, digits: Grey) -> tuple[float, float]:
    """The remaining shares of the digits' ink and of the lines' ink."""
    left, pen = _cleaned(both) > LEAST, 255 - digits > LEAST
    lines = (255 - printed > LEAST) & ~pen
    return float(left[pen].mean()), float(left[lines].mean())


@pytest.mark.parametrize("thickness", [1, 2, 4])
@pytest.mark.parametrize("level", [0, 120, 180])
def test_a_grid_goes_and_the_digits_in_it_stay(thickness: int, level: int) -> None:
    printed = ruled_grid(sheet(440, 340), X, Y, thickness, level)
    kept, lines = _shares(printed, filled(printed), filled(sheet(440, 340)))
    assert kept > 0.99
    assert lines < 0.02


def test_a_grid_in_perspective_goes_too() -> None:
    printed = ruled_grid(sheet(440, 340), X, Y)
    views = [in_perspective(grey) for grey in (printed, filled(printed), filled(sheet(440, 340)))]
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
    left = _cleaned(filled(np.minimum(printed, seven))) > LEAST
    crossing = (255 - seven > LEAST)[124:137]
    assert left[124:137][crossing].mean() > 0.8


def test_dark_writing_along_a_faint_rule_stays() -> None:
    printed = ruled_grid(sheet(440, 340), X, Y, 2, level=170)
    foot = sheet(440, 340)
    foot[127:133, 180:240] = 0  # a digit stands with its level foot on the rule
    foot[70:133, 180:186] = 0
    left = _cleaned(filled(np.minimum(printed, foot))) > LEAST
    assert left[127:133, 180:240].mean() > 0.9


@pytest.mark.parametrize(
    "first",
    [
        20,
        pytest.param(
            0,
            marks=pytest.mark.xfail(
                strict=True, reason="a ruling along the picture's edge shows one edge alone"
            ),
        ),
    ],
)
def test_the_rulings_of_paper_go(first: int) -> None:
    plain = drawing("253", size=(600, 300), at=(60, 80), box=120)
    # The first ruling is `first` pixels below the picture's upper edge.
    printed, both, alone = (grey[40 - first :] for grey in (ruled(sheet(600, 300)), ruled(plain), plain))
    kept, lines = _shares(printed, both, alone)
    assert kept > 0.99
    assert lines < 0.03


def test_without_lines_nothing_changes() -> None:
    dark = 255 - drawing("253", size=(600, 300), at=(60, 80), box=120)
    assert np.array_equal(without(dark, Frames(), LEAST), dark)


def test_the_given_darkness_stays_as_it_is() -> None:
    grey = filled(ruled_grid(sheet(440, 340), X, Y))
    dark = 255 - grey
    without(dark, frames_of(grey), LEAST)
    assert np.array_equal(dark, 255 - grey)


def _written(printed: Grey, alone: Grey) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of what remains, of the pen's ink, and of the lines' ink without the pen's."""
    left, pen = _cleaned(np.minimum(printed, alone)) > LEAST, 255 - alone > LEAST
    return left, pen, (255 - printed > LEAST) & ~pen


@pytest.mark.parametrize("thickness", [2, 3, 4])
def test_a_stroke_that_runs_along_a_rule_for_part_of_its_way_stays(thickness: int) -> None:
    printed = filled(ruled_grid(sheet(440, 340), X, Y, thickness))
    zero = sheet(440, 340)
    cv2.ellipse(zero, (220, 100), (20, 30), 0, 0, 360, 0, thickness)  # its foot lies in the rule at 130
    left, pen, _ = _written(printed, zero)
    assert left[pen].mean() > 0.9
    _, paper = cv2.connectedComponents((~left).astype(np.uint8), connectivity=4)
    assert paper[100, 220] != paper[100, 180]  # the zero is closed
    assert left[128:133, 180:260].any(axis=0).sum() <= 40  # and little of the rule stays beside it


def test_a_rule_between_two_feet_that_stand_on_it_goes() -> None:
    printed = _filled_but_the_middle(ruled_grid(sheet(440, 340), X, Y))
    arch = sheet(440, 340)
    cv2.ellipse(arch, (220, 128), (25, 50), 0, 180, 360, 0, 4)
    left, _, lines = _written(printed, arch)
    between = np.s_[126:134, 200:241]
    assert left[between][lines[between]].mean() < 0.1


def test_a_rule_that_an_eight_touches_with_both_its_loops_goes() -> None:
    printed = _filled_but_the_middle(ruled_grid(sheet(440, 340), X, Y))
    eight = sheet(440, 340)
    for x in (203, 237):
        cv2.circle(eight, (x, 110), 17, 0, 4)
    left, pen, lines = _written(printed, eight)
    between = np.s_[129:132, 208:233]
    assert not left[between][lines[between]].any()
    assert left[pen].mean() > 0.95


@pytest.mark.parametrize("thickness", [2, 4])
@pytest.mark.parametrize("lean", [0, 12, -12])
def test_a_digit_that_touches_a_rule_from_one_side_leaves_no_stub(thickness: int, lean: int) -> None:
    printed = ruled_grid(sheet(440, 340), X, Y, thickness)
    one = sheet(440, 340)
    cv2.line(one, (220 + lean, 75), (220, 129), 0, 4)  # as dark as the rule at 130
    left, pen, lines = _written(_filled_but_the_middle(printed), one)
    rest = left & lines
    rest &= ~np.asarray(cv2.dilate(pen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    near = rest[120:140, 180:260]
    assert near.any(axis=0).sum() <= thickness
    assert near.any(axis=1).sum() <= thickness
    assert left[:126][pen[:126]].mean() > 0.95


def _filled_but_the_middle(grey: Grey) -> Grey:
    """A digit in each column except for the middle one."""
    for row in range(3):
        for column in (0, 2):
            grey = write(grey, str(3 * row + column), (X[column] + 35, Y[row] + 18), 46)
    return grey


@pytest.mark.parametrize("digit", "0235789")
@pytest.mark.parametrize("level", [120, 150, 180])
def test_a_faint_rule_under_a_dark_digit_goes(level: int, digit: str) -> None:
    printed = _filled_but_the_middle(ruled_grid(sheet(440, 340), X, Y, 2, level))
    alone = write(sheet(440, 340), digit, (196, 100), 60, 5)  # over the rule at 130
    left, pen, lines = _written(printed, alone)
    over = np.s_[124:137, 170:270]
    assert left[pen].mean() > 0.97
    assert left[over][lines[over]].mean() < 0.05


def test_a_faint_rule_under_dark_writing_does_not_make_it_lighter() -> None:
    printed = _filled_but_the_middle(ruled_grid(sheet(440, 340), X, Y, 2, 150))
    alone = write(sheet(440, 340), "8", (196, 100), 60, 5)
    dark = _cleaned(np.minimum(printed, alone))
    assert dark[alone < 20].min() > 230
