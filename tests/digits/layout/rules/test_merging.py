from __future__ import annotations

from dataclasses import replace

import pytest

from digits.layout.rules.merging import merged
from digits.layout.rules.rule import Rule
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import rule

SCALE = Scale(2.0)
STEP = "where a page may bend a rule a step of a few pixels is taken for a bend"


def _merged(*rules: Rule) -> list[tuple[float, float]]:
    return sorted((one.start, one.end) for one in merged(list(rules), SCALE))


def test_pieces_of_one_line_are_put_together_in_any_order() -> None:
    pieces = rule(40, 200, 100), rule(220, 400, 100), rule(430, 500, 100)
    assert _merged(*pieces) == _merged(*reversed(pieces)) == [(40, 500)]


def test_a_line_of_pieces_shows_ink_where_they_do() -> None:
    (found,) = merged([rule(0, 100, 100), rule(150, 200, 100)], SCALE)
    assert found.covered == pytest.approx(150 / 200)
    assert float(found.at(125.0)) == pytest.approx(100)


@pytest.mark.parametrize(
    "apart", [pytest.param(6, marks=pytest.mark.xfail(strict=True, reason=STEP)), 10, -10]
)
def test_lines_of_which_one_ends_where_the_other_begins_stay_two(apart: int) -> None:
    assert _merged(rule(40, 200, 100), rule(220, 400, 100 + apart)) == [(40, 200), (220, 400)]


def test_lines_beside_each_other_stay_two() -> None:
    assert _merged(rule(40, 400, 100), rule(40, 400, 106)) == [(40, 400), (40, 400)]


def test_one_line_found_twice_is_one() -> None:
    assert _merged(rule(40, 400, 100), rule(42, 380, 100.6)) == [(40, 400)]


def test_pieces_that_show_less_ink_than_paper_stay_two() -> None:
    assert _merged(rule(0, 60, 100), rule(300, 360, 100)) == [(0, 60), (300, 360)]


def test_dashed_and_solid_pieces_stay_two() -> None:
    assert len(_merged(rule(40, 200, 100), replace(rule(210, 400, 100), dashed=True))) == 2


def test_pieces_that_lean_alike_are_put_together() -> None:
    assert _merged(rule(0, 100, 50, slope=0.1), rule(120, 220, 62, slope=0.1)) == [(0, 220)]


def test_a_stroke_that_leans_otherwise_is_no_piece() -> None:
    assert len(_merged(rule(0, 300, 50), rule(310, 350, 50, slope=0.3))) == 2


def test_pieces_of_a_dotted_line_are_put_together_though_they_show_little_ink() -> None:
    pieces = [
        replace(rule(*ends, 100), dashed=True, covered=0.2, step=15) for ends in ((40, 200), (230, 400))
    ]
    (found,) = merged(pieces, SCALE)
    assert (found.start, found.end, found.step) == (40, 400, 15)


def test_a_line_found_again_keeps_its_course() -> None:
    first = rule(40, 400, 100)
    (found,) = merged([first, rule(60, 380, 100.05)], SCALE)
    assert found.course == first.course
    (between,) = merged([first, rule(60, 380, 101.4)], SCALE)
    assert 100.2 < float(between.at(220.0)) < 101.2
