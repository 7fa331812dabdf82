"""Tests of the cuts between digits that touch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.layout.atoms import Atom, joined
from digits.layout.cuts import most_cuts, slices
from digits.network.network_input import InkLevels

HIGH = 120
PEN = 9


def atom(ink: InkLevels) -> Atom:
    return Atom((0, 0, ink.shape[1], ink.shape[0]), ink)


def ring(width: int, at: int = 45) -> InkLevels:
    ink = np.zeros((HIGH, width), np.uint8)
    cv2.ellipse(ink, (at, HIGH // 2), (40, 55), 0, 0, 360, 255, PEN, cv2.LINE_AA)
    return ink


def bar(width: int, at: int, top: int = 4) -> InkLevels:
    ink = np.zeros((HIGH, width), np.uint8)
    cv2.line(ink, (at, top), (at, HIGH - 5), 255, PEN, cv2.LINE_AA)
    return ink


def covered(part: Atom, ink: InkLevels) -> float:
    """The share of the ink that is in a part."""
    left, top, right, bottom = part.box
    paper = np.zeros(ink.shape, np.uint8)
    paper[top:bottom, left:right] = part.pixels
    return float(((paper > 127) & (ink > 127)).sum() / (ink > 127).sum())


@pytest.mark.parametrize("aside", [3, 4, 6])
def test_a_four_whose_left_stroke_lies_on_the_side_of_a_zero_is_cut_from_it(aside: int) -> None:
    zero, four = ring(160), np.zeros((HIGH, 160), np.uint8)
    strokes = [np.array([[95 + aside, 8], [89 + aside, 66], [140, 66]]), np.array([[125, 30], [122, 115]])]
    cv2.polylines(four, strokes, False, 255, PEN, cv2.LINE_AA)
    parts = slices(atom(np.maximum(zero, four)), HIGH)
    divisions = [(joined(parts[:k]), joined(parts[k:])) for k in range(1, len(parts))]
    assert any(
        min(covered(left, zero), covered(right, four)) > 0.9
        and max(covered(left, four), covered(right, zero)) < 0.3
        for left, right in divisions
    )


def test_ink_that_a_cut_goes_through_belongs_to_both_sides() -> None:
    ink = np.maximum(ring(170), ring(170, 122))
    parts = slices(atom(ink), HIGH)
    assert sum(int((part.pixels > 127).sum()) for part in parts) > int((ink > 127).sum())
    assert covered(joined(parts), ink) > 0.99


def test_digits_with_paper_between_them_are_cut_there_at_no_cost() -> None:
    parts = slices(atom(np.maximum(bar(150, 20), bar(150, 120))), HIGH)
    assert min(part.cut for part in parts[1:]) == 0
    assert covered(parts[0], bar(150, 20)) == 1


def test_a_cut_through_one_stroke_costs_less_than_one_through_two() -> None:
    """A path between two touching rings crosses one stroke, and a path inside a ring crosses two."""
    parts = slices(atom(np.maximum(ring(170), ring(170, 122))), HIGH)
    between = min(parts[1:], key=lambda part: abs(part.box[0] - 80))
    inside = min(parts[1:], key=lambda part: abs(part.box[0] - 45))
    assert between.cut < inside.cut


def test_a_stroke_too_narrow_for_two_cuts_stays_whole() -> None:
    narrow = np.full((HIGH, PEN), 255, np.uint8)
    assert len(slices(atom(narrow), HIGH)) == 1


def test_a_wider_atom_may_have_more_cuts() -> None:
    assert most_cuts(atom(ring(90)), HIGH) < most_cuts(atom(np.hstack([ring(90)] * 3)), HIGH)
