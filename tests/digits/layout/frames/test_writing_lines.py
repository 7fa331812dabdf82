"""Tests of the writing lines of forms."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.layout.frames.search import find_frames
from digits.layout.frames.writing_lines import writing_lines
from digits.layout.rules.rule import Mask, Rule, Rules

NONE = Rules([], [])


def rule(start: float, end: float, y: float, covered: float = 1.0, step: float = 0.0) -> Rule:
    return Rule(start, end, (0.0, 0.0, y), 3.0, covered, dashed=step > 0, step=step)


def paper(rows: tuple[int, ...] = (80,), feet: int = 130) -> Mask:
    """Rings like zeros, 40 pixels high, with their feet at `feet`, and lines at `rows`."""
    mask = np.zeros((220, 400), np.uint8)
    for x in (80, 115, 150):
        cv2.ellipse(mask, (x, feet - 22), (12, 20), 0, 0, 360, 1, 4)
    for y in rows:
        cv2.line(mask, (40, y), (360, y), 1, 3)
    return mask


def test_a_line_under_a_number_is_one_to_write_on() -> None:
    line = rule(40, 360, 135)
    assert writing_lines([line], NONE, paper((135,))) == [line]


def test_a_line_through_a_number_strikes_it_out() -> None:
    assert writing_lines([rule(60, 170, 108)], NONE, paper((108,))) == []


def test_a_level_stroke_alone_is_a_mark() -> None:
    mask = np.zeros((220, 400), np.uint8)
    cv2.line(mask, (40, 135), (360, 135), 1, 3)
    assert writing_lines([rule(40, 360, 135)], NONE, mask) == []


@pytest.mark.parametrize(
    "line",
    [rule(40, 180, 135), rule(40, 360, 135, covered=0.7), rule(40, 360, 135, step=60)],
    ids=["short", "broken", "few dashes"],
)
def test_what_the_feet_of_digits_make_is_no_line(line: Rule) -> None:
    assert writing_lines([line], NONE, paper(())) == []


def test_a_dotted_line_is_one_to_write_on() -> None:
    line = rule(40, 360, 135, covered=0.4, step=10)
    assert writing_lines([line], NONE, paper(())) == [line]


def test_lines_of_a_form_are_found_in_a_picture() -> None:
    dark = np.where(paper((135, 190)) > 0, 200, 0).astype(np.uint8)
    frames = find_frames(dark, 40)
    assert [round(line.at(line.middle)) for line in frames.other_horizontal] == [135, 190]
    assert frames.horizontal == []
