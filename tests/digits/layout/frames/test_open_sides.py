"""Tables without a line at a side are closed there, whereas ruled pages and pen strokes are not changed."""

from __future__ import annotations

import pytest

from digits.layout.frames.open_sides import with_open_sides
from digits.layout.rules.rule import Rule, Rules
from digits.layout.rules.scale import Scale
from tests.digits.layout.forms import frames_of, rule, sheet, write

SCALE = Scale(3.0)
SHAPE = (400, 440)
Y = (40, 100, 160, 220)


def _closed(horizontal: list[Rule], vertical: list[Rule]) -> tuple[list[float], list[float]]:
    """The places of the added lines: vertical ones, then horizontal ones."""
    found = with_open_sides(Rules(horizontal, vertical), SHAPE, SCALE)
    return (
        [round(float(new.at(new.middle))) for new in found.vertical[len(vertical) :]],
        [round(float(new.at(new.middle))) for new in found.horizontal[len(horizontal) :]],
    )


def _rows(count: int = 4, dashed: bool = False) -> list[Rule]:
    return [rule(30, 330, y, dashed=dashed) for y in Y[:count]]


@pytest.mark.parametrize("count", [3, 4])
def test_open_sides_are_closed(count: int) -> None:
    assert _closed(_rows(count), [rule(40, Y[count - 1], 130)]) == ([30, 330], [])


def test_a_side_that_is_closed_stays_as_it_is() -> None:
    assert _closed(_rows(), [rule(40, 220, 130), rule(40, 220, 30)]) == ([330], [])


def test_sides_may_lean() -> None:
    horizontal = [rule(30 + k * 6, 330 + k * 6, y) for k, y in enumerate(Y)]
    assert _closed(horizontal, [rule(40, 220, 130)]) == ([39, 339], [])


def test_ends_that_lie_on_no_line_close_nothing() -> None:
    horizontal = [rule(30, 330 + (k == 1) * 60, y) for k, y in enumerate(Y)]
    assert _closed(horizontal, [rule(40, 220, 130)]) == ([30], [])


def test_a_line_that_goes_through_many_is_closed_at_its_ends_too() -> None:
    assert _closed(_rows(), [rule(15, 270, 130)]) == ([30, 330], [15, 270])


@pytest.mark.parametrize(
    ("horizontal", "column"),
    [
        (_rows(2), rule(40, 100, 130)),  # a stroke from line to line
        (_rows(3), rule(20, 180, 130)),  # a tall one across three
        (_rows(4), rule(-50, 270, 130)),  # a margin that goes on far beyond
        ([rule(0, 330, y) for y in Y], rule(40, 220, 130)),  # cut off by the picture's edge
        (_rows(dashed=True), rule(40, 220, 130)),
        (_rows(), rule(40, 220, 130, dashed=True)),
    ],
)
def test_strokes_and_ruled_pages_are_left_alone(horizontal: list[Rule], column: Rule) -> None:
    assert _closed(horizontal, [column]) == ([], [])


def test_a_table_with_open_sides_is_a_frame() -> None:
    grey = sheet(360, 260)
    for y in Y:
        grey[y : y + 2, 30:330] = 0
    grey[40:222, 180:182] = 0
    for row in range(3):
        for left in (70, 230):
            grey = write(grey, "38", (left, Y[row] + 14), 32, 4)
    frames = frames_of(grey)
    assert (len(frames.horizontal), len(frames.vertical)) == (4, 3)
