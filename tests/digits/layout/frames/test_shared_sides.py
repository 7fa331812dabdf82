from __future__ import annotations

import numpy as np
import pytest

from digits.ink.sheet import Grey
from digits.layout.frames.shared_sides import with_shared_sides
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import mask_of, rule, ruled_grid, sheet

X, FOOT, TOP = (100, 160, 220, 280, 340), 150, 90
SCALE = Scale(2.0)


def _sheet(heavy: bool = True) -> Grey:
    """A row of boxes whose lower side is on a line of the paper, which is thicker there if `heavy`."""
    grey = ruled_grid(sheet(500, 240), X, (TOP, FOOT))
    grey[FOOT - 1 : FOOT + 1] = 0
    if heavy:
        grey[FOOT - 1 : FOOT + 2, X[0] : X[-1] + 1] = 0
    return grey


def _new(vertical: list[Rule], grey: Grey, line: Rule | None = None) -> list[Rule]:
    paper = Rules([line or rule(0, 499, FOOT)], [])
    inner = Rules([rule(X[0], X[-1], TOP)], vertical)
    found = with_shared_sides(inner, paper, mask_of(grey), SCALE)
    assert found.vertical == vertical
    return found.horizontal[1:]


def _vertical(thickness: float = 2.0) -> list[Rule]:
    return [rule(TOP, FOOT, x, thickness) for x in X]


def test_a_line_of_the_paper_on_which_sides_end_is_a_side_from_the_first_to_the_last() -> None:
    (new,) = _new(_vertical(), _sheet())
    assert (new.start, new.end) == (X[0], X[-1])
    assert new.course == rule(0, 499, FOOT).course


def test_vertical_lines_of_squared_paper_are_sides_too() -> None:
    horizontal = [rule(TOP, FOOT, x) for x in X]
    paper = Rules([], [rule(0, 499, FOOT)])
    mask = np.ascontiguousarray(mask_of(_sheet()).T)
    found = with_shared_sides(Rules(horizontal, [rule(X[0], X[-1], TOP)]), paper, mask, SCALE)
    assert [(new.start, new.end) for new in found.vertical[1:]] == [(X[0], X[-1])]


def test_where_a_line_is_no_heavier_nothing_else_lies_on_it() -> None:
    assert _new(_vertical(), _sheet(heavy=False)) == []


@pytest.mark.parametrize("which", [slice(0, 3), slice(2, 5)])
def test_a_few_strokes_that_end_at_a_line_make_no_side(which: slice) -> None:
    assert _new(_vertical()[which], _sheet()) == []


@pytest.mark.parametrize(("shorter", "found"), [(9, 1), (15, 0)])
def test_sides_differ_little_in_length(shorter: int, found: int) -> None:
    vertical = [rule(TOP + off, FOOT, x) for x, off in zip(X, (0, 0, 0, shorter, shorter), strict=True)]
    assert len(_new(vertical, _sheet())) == found


def test_strokes_of_unlike_lengths_make_no_side() -> None:
    strokes = [rule(FOOT - tall, FOOT, x) for x, tall in zip(X, (20, 35, 55, 80, 120), strict=True)]
    assert _new(strokes, _sheet()) == []


@pytest.mark.parametrize(("thickness", "found"), [(3, 1), (4.5, 0), (7, 0)])
def test_strokes_of_a_pen_make_no_side(thickness: float, found: int) -> None:
    assert len(_new(_vertical(thickness), _sheet())) == found


def test_a_line_that_ends_with_what_stands_on_it_is_its_own_side() -> None:
    assert _new(_vertical(), _sheet(), rule(X[0] - 4, X[-1] + 4, FOOT)) == []
