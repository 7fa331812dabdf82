from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.classification import Searched, classified
from digits.layout.frames.combs import comb_on
from digits.layout.rules.rule import Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import comb, frames_of, leaning, mask_of, rule, ruled_grid, sheet, write

X = tuple(range(40, 461, 70))
FOOT = 130
SCALE = Scale(2.0)


def _filled(grey: Grey) -> Grey:
    return write(grey, "264809", (52, 60), 56, step=1.5625)


def _teeth(grey: Grey) -> list[float]:
    """The places of the only comb's teeth on its base; empty if there is no comb."""
    combs = frames_of(grey).combs
    assert len(combs) < 2
    return [float(tooth.at(tooth.end)) for found in combs for tooth in found.teeth]


def _without_tooth(grey: Grey, number: int) -> Grey:
    cut = grey.copy()
    cut[FOOT - 30 : FOOT - 1, X[number] - 3 : X[number] + 4] = 255
    return cut


@pytest.mark.parametrize("tall", [14, 20, 40])
@pytest.mark.parametrize("thickness", [1, 2, 4])
def test_a_comb_has_all_its_teeth(thickness: int, tall: int) -> None:
    assert _teeth(_filled(comb(sheet(500, 180), X, FOOT, tall, thickness))) == pytest.approx(X, abs=2)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_tooth_hidden_by_writing_is_put_back(number: int) -> None:
    printed = _without_tooth(comb(sheet(500, 180), X, FOOT, 20), number)
    assert _teeth(_filled(printed)) == pytest.approx(X, abs=2)


def test_a_tooth_under_a_digit_is_put_back() -> None:
    grey = write(comb(sheet(500, 180), X, FOOT, 20), "0", (X[3] - 22, 80), 56, pen=8)
    assert _teeth(write(grey, "26", (52, 60), 56, step=1.5625)) == pytest.approx(X, abs=2)


def test_a_tooth_that_is_put_back_is_as_high_as_its_neighbours() -> None:
    (found,) = frames_of(_filled(_without_tooth(comb(sheet(500, 180), X, FOOT, 20), 3))).combs
    assert found.teeth[3].length == pytest.approx(20, abs=3)
    assert found.teeth[3].end == pytest.approx(FOOT, abs=2)


@pytest.mark.parametrize("number", [0, 6])
def test_a_tooth_at_an_end_that_writing_touches_is_as_high_as_the_others(number: int) -> None:
    grey = comb(sheet(500, 180), X, FOOT, 40)
    grey = write(grey, "0", (X[number] - 22, 60), 56)
    (found,) = frames_of(grey).combs
    assert [float(tooth.at(tooth.end)) for tooth in found.teeth] == pytest.approx(X, abs=2)
    assert found.teeth[number].length == pytest.approx(40, abs=4)


@pytest.mark.parametrize("hidden", [0, -1])
def test_a_hidden_tooth_at_an_end_is_put_back(hidden: int) -> None:
    x = list(range(40, 461, 60))
    grey = comb(sheet(500, 180), x, FOOT, 20)
    grey[FOOT - 30 : FOOT - 1, x[hidden] - 3 : x[hidden] + 4] = 255
    assert _teeth(grey) == pytest.approx(x, abs=3)


def test_a_line_that_goes_on_beyond_strokes_on_both_sides_is_no_comb() -> None:
    grey = comb(sheet(500, 180), X[1:-1], FOOT, 20)
    grey[FOOT - 1 : FOOT + 1, X[0] : X[-1]] = 0
    assert _teeth(grey) == []


@pytest.mark.parametrize("ends", [(0,), (6,), (0, 6)])
def test_a_comb_may_have_high_ends(ends: tuple[int, ...]) -> None:
    grey = comb(sheet(500, 180), X, FOOT, 16)
    for number in ends:
        grey[FOOT - 70 : FOOT, X[number] - 1 : X[number] + 1] = 0
    assert _teeth(_filled(grey)) == pytest.approx(X, abs=2)


def test_a_comb_may_stand_in_a_box() -> None:
    grey = comb(sheet(500, 180), X, FOOT, 20)
    assert _teeth(_filled(ruled_grid(grey, (X[0], X[-1]), (FOOT - 80, FOOT)))) == pytest.approx(X, abs=2)


def test_a_stroke_in_a_field_is_no_comb_of_its_own() -> None:
    grey = comb(sheet(500, 180), X, FOOT, 40)
    grey[FOOT - 21 : FOOT - 19, X[1] : X[5]] = 0
    assert len(frames_of(grey).combs) < 2


@pytest.mark.parametrize("degrees", [-5, -3, 3, 5])
def test_a_comb_may_lean(degrees: float) -> None:
    found = _teeth(leaning(_filled(comb(sheet(500, 260), X, FOOT, 20)), degrees))
    assert len(found) == len(X)
    assert np.diff(found) == pytest.approx(70 * np.cos(np.deg2rad(degrees)), abs=3)


@pytest.mark.parametrize("lean", [-4, -2, 2, 4])
def test_teeth_may_lean(lean: int) -> None:
    grey = sheet(500, 180)
    grey[FOOT - 1 : FOOT + 1, X[0] : X[-1] + 1] = 0
    for foot in X:
        cv2.line(grey, (foot + lean, FOOT - 24), (foot, FOOT), 0, 2)
    (found,) = frames_of(_filled(grey)).combs
    assert [float(tooth.at(FOOT)) for tooth in found.teeth] == pytest.approx(X, abs=2)
    tops = [float(tooth.at(FOOT - 20)) for tooth in found.teeth]
    assert tops == pytest.approx([foot + lean * 20 / 24 for foot in X], abs=2)


@pytest.mark.parametrize("text", ["2718281", "1111111", "4711471", "999999"])
@pytest.mark.parametrize("height", [40, 56])
def test_a_ruled_line_with_digits_on_it_is_not_a_comb(text: str, height: int) -> None:
    grey = sheet(500, 180)
    grey[FOOT - 1 : FOOT + 1, 10:490] = 0
    grey = write(grey, text, (60, FOOT - height), height, step=1.1)
    assert frames_of(grey).combs == []


def test_strokes_that_do_not_reach_the_ends_of_a_line_make_no_comb() -> None:
    grey = comb(sheet(500, 180), tuple(range(70, 431, 60)), FOOT, 20)
    grey[FOOT - 1 : FOOT + 1, X[0] : X[-1] + 1] = 0
    assert _teeth(grey) == []


def test_strokes_in_the_middle_of_a_line_and_at_its_ends_make_no_comb() -> None:
    assert _teeth(comb(sheet(500, 180), (40, 160, 207, 253, 300, 460), FOOT, 20)) == []


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_teeth_make_no_comb(count: int) -> None:
    assert _teeth(comb(sheet(500, 180), tuple(range(40, 460, 400 // (count - 1)))[:count], FOOT, 20)) == []


def test_strokes_at_uneven_distances_make_no_comb() -> None:
    assert _teeth(comb(sheet(500, 180), (40, 60, 190, 230, 250, 460), FOOT, 20)) == []


def test_comb_on_goes_by_the_mask_where_no_teeth_were_found() -> None:
    mask = mask_of(_filled(comb(sheet(500, 180), X, FOOT, 20)))
    found = comb_on(rule(X[0], X[-1], FOOT), [], mask, SCALE)
    assert found is not None
    assert [tooth.end for tooth in found.teeth] == pytest.approx([FOOT] * 7, abs=2)
    assert [float(tooth.at(tooth.end)) for tooth in found.teeth] == pytest.approx(X, abs=2)


def test_comb_on_goes_by_the_teeth_that_were_found() -> None:
    teeth = [rule(FOOT - 20, FOOT - 1, x) for x in X]
    found = comb_on(rule(X[0], X[-1], FOOT), teeth, np.zeros((180, 500), np.uint8), SCALE)
    assert found is not None
    assert [float(tooth.at(tooth.end)) for tooth in found.teeth] == pytest.approx(X)


def test_comb_on_leaves_out_what_does_not_end_on_the_base() -> None:
    blank = np.zeros((300, 500), np.uint8)
    base = rule(X[0], X[-1], FOOT)
    assert comb_on(base, [rule(FOOT - 40, FOOT - 20, x) for x in X], blank, SCALE) is None
    assert comb_on(base, [rule(FOOT - 20, FOOT + 30, x) for x in X], blank, SCALE) is None
    assert comb_on(base, [rule(FOOT - 110, FOOT, x) for x in X], blank, SCALE) is None


def test_a_line_that_several_rules_go_through_is_of_a_table_and_no_comb() -> None:
    # The outermost horizontal rules are too faint to be found, so that no vertical rule ends at a rule.
    table, columns = sheet(500, 400), range(40, 461, 84)
    for x in columns:
        table[60:340, x - 1 : x + 1] = 0
    for x in range(82, 461, 84):  # strokes of digits
        table[172:200, x - 1 : x + 1] = 0
    for y in (200, 270):
        table[y - 1 : y + 1, 40:461] = 0
    rules = Rules([rule(40, 460, y) for y in (200, 270)], [rule(60, 339, x) for x in columns])
    searched = Searched(np.asarray(255 - table, np.uint8), mask_of(table), SCALE)
    assert classified(rules, searched).combs == []
    assert classified(Rules(rules.horizontal, []), searched).combs != []


@pytest.mark.parametrize("number", range(1, 5))
def test_two_teeth_beside_each_other_that_writing_hides_are_put_back(number: int) -> None:
    printed = _without_tooth(_without_tooth(comb(sheet(500, 180), X, FOOT, 20), number), number + 1)
    assert _teeth(_filled(printed)) == pytest.approx(X, abs=2)
