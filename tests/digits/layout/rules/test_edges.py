from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.layout.rules.edges import Edges, edges_of, paired
from digits.layout.rules.rule import heights
from digits.layout.rules.scale import Scale
from digits.layout.rules.search import find_rules
from digits.layout.rules.segments import find_segments
from tests.digits.layout.forms import LEAST, sheet

SCALE = Scale(3.0)


def _edge(at: float, side: int, start: float = 0, end: float = 400) -> tuple[float, float, float, int]:
    return start, end, at, side


def _pairs(*some: tuple[float, float, float, int]) -> list[list[tuple[float, float]]]:
    """The places of the upper and the lower edge of each pair, rule by rule."""
    start, end, at, side = np.array(some, float).reshape(-1, 4).T
    edges = Edges(start, end, np.stack([0 * at, 0 * at, at], axis=1), side.astype(np.int8), [])
    return sorted(sorted((at[one], at[two]) for one, two in pairs) for pairs in paired(edges, SCALE))


def test_the_edges_of_a_line_are_as_long_as_the_line() -> None:
    dark = np.zeros((200, 500), np.uint8)
    dark[100:104, 40:460] = 255
    edges = edges_of(find_segments(dark, LEAST)[0], SCALE)
    assert sorted(edges.side.tolist()) == [-1, 1]
    assert edges.start == pytest.approx([40, 40], abs=3)
    assert edges.end == pytest.approx([460, 460], abs=3)
    at = heights(edges.course, np.array([250.0, 250.0]))
    assert at == pytest.approx(np.where(edges.side > 0, 100, 103), abs=1.5)


def test_edges_come_by_their_length_and_short_ones_do_not() -> None:
    dark = np.zeros((300, 500), np.uint8)
    for number, length in enumerate((12, 100, 400, 200)):
        dark[40 + 60 * number : 44 + 60 * number, 40 : 40 + length] = 255
    lengths = edges_of(find_segments(dark, LEAST)[0], SCALE).length.tolist()
    assert lengths == sorted(lengths, reverse=True)
    assert lengths == pytest.approx([400, 400, 200, 200, 100, 100], abs=5)


def test_the_two_edges_of_a_line_are_a_pair() -> None:
    assert _pairs(_edge(10, 1), _edge(13, -1)) == [[(10, 13)]]


def test_the_paper_between_two_lines_is_no_line() -> None:
    assert _pairs(_edge(13, -1), _edge(16, 1)) == []


def test_lines_beside_each_other_are_pairs_of_their_own() -> None:
    assert _pairs(_edge(10, 1), _edge(13, -1), _edge(16, 1), _edge(19, -1)) == [[(10, 13)], [(16, 19)]]


@pytest.mark.parametrize(("start", "pairs"), [(280, 1), (320, 0)])
def test_the_edges_of_a_line_have_half_the_shorter_ones_length_in_common(start: int, pairs: int) -> None:
    assert len(_pairs(_edge(10, 1), _edge(13, -1, start, start + 200))) == pairs


def test_edges_far_apart_are_no_pair() -> None:
    assert _pairs(_edge(10, 1), _edge(10 + SCALE.thickest + 1, -1)) == []


def test_edges_that_follow_each_other_are_no_pair() -> None:
    assert _pairs(_edge(10, 1, 0, 200), _edge(13, -1, 190, 400)) == []


def test_an_edge_found_in_pieces_makes_one_line_with_the_other() -> None:
    edges = _edge(10, 1), _edge(13, -1, 0, 180), _edge(13, -1, 200, 400)
    assert _pairs(*edges) == [[(10, 13), (10, 13)]]


def test_two_lines_that_touch_share_an_edge() -> None:
    # The upper line ends where the lower one begins. They share the upper edge and have two lower edges.
    edges = _edge(10, 1), _edge(13, -1, 0, 200), _edge(16, -1, 200, 400)
    assert _pairs(*edges) == [[(10, 13), (10, 16)]]


def test_one_side_alone_is_no_line() -> None:
    assert _pairs(_edge(10, 1), _edge(13, 1)) == []
    assert _pairs() == []


@pytest.mark.xfail(strict=True, reason="where two lines cross at a small angle, one of them at most is found")
@pytest.mark.parametrize("drop", [8, 24, 40])
def test_two_lines_that_cross_at_a_small_angle_are_both_found(drop: int) -> None:
    grey = sheet(500, 200)
    grey[100:103, 40:460] = 0
    cv2.line(grey, (40, 101 - drop), (460, 101 + drop), 0, 3)
    dark = np.asarray(255 - grey, np.uint8)
    mask = np.asarray(dark > LEAST, np.uint8)
    slopes = sorted(
        rule.slope for rule in find_rules(dark, mask, SCALE, LEAST).horizontal if rule.length > 300
    )
    assert slopes == pytest.approx([0.0, 2 * drop / 420], abs=0.01)


def test_two_lines_that_touch_are_both_found() -> None:
    dark = np.zeros((200, 500), np.uint8)
    dark[100:103, 40:460] = 255
    dark[103:112, 240:243] = 255  # between them
    dark[112:115, 40:460] = 255
    mask = np.asarray(dark > LEAST, np.uint8)
    found = [rule for rule in find_rules(dark, mask, SCALE, LEAST).horizontal if rule.length > 300]
    assert sorted(float(rule.at(250)) for rule in found) == pytest.approx([101, 113], abs=1)
