from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from digits.layout.frames.combs import Comb
from digits.layout.frames.ruled_pages import off_ruled_pages
from digits.layout.rules.rule import Rule
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import comb, frames_of, rule, sheet

X = tuple(range(60, 421, 60))
SCALE = Scale(2.0)


def _comb(base: Rule, tall: float = 30) -> Comb:
    foot = float(base.at(base.start))
    return Comb(base, tuple(rule(foot - tall, foot, x) for x in np.linspace(base.start, base.end, 6)))


def _kept(comb: Comb, horizontal: Sequence[Rule]) -> bool:
    return off_ruled_pages([comb], horizontal, SCALE) == [comb]


@pytest.mark.parametrize(("others", "kept"), [(2, True), (3, False)])
def test_a_line_of_a_ruled_page_is_no_base(others: int, kept: bool) -> None:
    lines = [rule(20 + k, 460 - k, 100 + 50 * k) for k in range(others + 1)]
    assert _kept(_comb(lines[1]), lines) is kept


def test_a_part_of_such_a_line_is_no_base() -> None:
    lines = [rule(20, 460, 100 + 50 * k) for k in range(4)]
    assert not _kept(_comb(rule(140, 400, 152, thickness=4)), lines)


def test_a_base_of_its_own_may_lie_in_a_line_of_the_paper() -> None:
    lines = [rule(20, 460, 100 + 50 * k) for k in range(4)]
    base = rule(140, 400, 151, thickness=3)
    assert _kept(_comb(base), [*lines, base])


def test_lines_of_other_lengths_are_of_no_page() -> None:
    lines = [rule(20, 460, 100), *(rule(20 + 60 * k, 460, 100 + 50 * k) for k in range(1, 4))]
    assert _kept(_comb(lines[0]), lines)


def test_edges_of_the_base_are_no_lines_of_a_page() -> None:
    lines = [rule(20, 460, 100 + 7 * k) for k in range(4)]
    assert _kept(_comb(lines[0]), lines)


def test_combs_below_each_other_stay() -> None:
    lines = [rule(20, 460, 100 + 50 * k) for k in range(5)]
    combs = [_comb(line) for line in lines[:3]]
    assert off_ruled_pages(combs, lines, SCALE) == combs


@pytest.mark.parametrize(("lines", "found"), [((), 1), ((220, 280, 340), 0)])
def test_a_picture_of_a_ruled_page_has_no_comb(lines: Sequence[int], found: int) -> None:
    grey = comb(sheet(480, 400), X, 160, 20)
    for y in lines:
        grey[y : y + 2, X[0] : X[-1]] = 0
    assert len(frames_of(grey).combs) == found
