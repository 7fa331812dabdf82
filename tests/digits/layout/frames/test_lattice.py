from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digits.layout.frames.lattice import Lattice, chosen_of, crossings, cut_off, usual_gap
from digits.layout.rules.rule import Rule
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import X, Y, rule

SHAPE = (340, 440)


def _core(horizontal: list[Rule], vertical: list[Rule], edges: bool = False) -> tuple[list[Rule], list[Rule]]:
    lattice = Lattice(horizontal, vertical, SHAPE, Scale(2.0))
    rows, columns = lattice.core(np.ones(len(horizontal), bool), np.ones(len(vertical), bool), edges)
    return chosen_of(horizontal, rows), chosen_of(vertical, columns)


def _grid() -> tuple[list[Rule], list[Rule]]:
    return [rule(X[0], X[-1], y) for y in Y], [rule(Y[0], Y[-1], x) for x in X]


def test_crossings_are_where_the_rules_meet_though_they_lean() -> None:
    x, y = crossings([rule(0, 400, 100, slope=0.1)], [rule(0, 300, 200, slope=-0.1), rule(0, 300, 50)])
    assert y[0] == pytest.approx(100 + 0.1 * x[0], abs=0.01)
    assert x[0] == pytest.approx([200 - 0.1 * y[0][0], 50], abs=0.01)


def test_all_rules_of_a_grid_hold_each_other() -> None:
    horizontal, vertical = _grid()
    assert _core(horizontal, vertical) == (horizontal, vertical)


def test_a_stroke_that_ends_freely_is_held_by_nothing() -> None:
    horizontal, vertical = _grid()
    stroke = rule(60, 115, 220)
    assert _core(horizontal, [*vertical, stroke]) == (horizontal, vertical)


def test_rules_that_were_held_by_a_stroke_alone_go_with_it() -> None:
    horizontal = [rule(40, 200, 50), rule(40, 200, 130)]
    assert _core(horizontal, [rule(50, 130, 40), rule(90, 130, 200)]) == ([], [])


def test_rules_of_a_frame_may_end_at_the_pictures_edge() -> None:
    horizontal, vertical = [rule(0, 439, y) for y in Y], [rule(Y[0], Y[-1], x) for x in X]
    assert _core(horizontal, vertical)[0] == []
    assert _core(horizontal, vertical, edges=True) == (horizontal, vertical)


def test_a_rule_much_thicker_than_its_frame_is_none_of_it() -> None:
    horizontal, vertical = _grid()
    bar = rule(Y[0], Y[-1], 220, 14)
    assert _core(horizontal, [*vertical, bar]) == (horizontal, vertical)


def test_frames_apart_from_each_other_are_told_apart() -> None:
    horizontal = [rule(40, 160, 50), rule(280, 400, 50), rule(40, 160, 130), rule(280, 400, 130)]
    vertical = [rule(50, 130, x) for x in X]
    lattice = Lattice(horizontal, vertical, SHAPE, Scale(2.0))
    found = lattice.frames(np.ones(4, bool), np.ones(4, bool))
    assert [(rows.tolist(), columns.tolist()) for rows, columns in found] == [
        ([0, 2], [0, 1]),
        ([1, 3], [2, 3]),
    ]


def test_cut_off_says_at_which_end_the_picture_ends() -> None:
    rules = [rule(0, 200, 50), rule(40, 439, 50), rule(40, 200, 50), rule(2, 437, 50)]
    assert cut_off(rules, 440, 0.01).tolist() == [[True, False], [False, True], [False, False], [True, True]]
    assert cut_off([], 440, 0.01).shape == (0, 2)


def test_usual_gap_is_the_usual_distance_between_neighbours() -> None:
    assert usual_gap(np.array([70.0, 10.0, 30.0, 50.0, 200.0])) == 20
    assert usual_gap(np.array([3.0])) == 0


def test_a_dashed_rule_may_end_a_hidden_dash_from_a_crossing() -> None:
    horizontal, vertical = _grid()
    solid = rule(Y[0] + 25, Y[-1], 220)
    dashed = replace(solid, dashed=True, step=18)
    for short, near in ((solid, False), (dashed, True)):
        assert Lattice(horizontal, [*vertical, short], SHAPE, Scale(2.0)).meets[0, -1] == near


def test_a_dashed_rule_that_ends_a_step_before_the_pictures_edge_is_cut_off_by_it() -> None:
    ends = rule(12, 430, 100)
    assert cut_off([ends, replace(ends, dashed=True, step=15)], 440, 0.01).tolist() == [
        [False, False],
        [True, True],
    ]
