from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.ink.sheet import Grey
from digits.layout.rules.segments import Segments, chained, find_segments
from tests.digits.layout.forms import LEAST, sheet, write


def _paper() -> Grey:
    return np.zeros((200, 500), np.uint8)


def _at(segments: Segments, side: int) -> NDArray[np.float64]:
    """The places of the edges of one side across their direction."""
    which = segments.side == side
    return np.concatenate([segments.first[which], segments.last[which]])


def _share(segments: Segments, side: int, start: float, end: float) -> float:
    """The share of the range from start to end that the edges of one side cover."""
    shown = np.zeros(int(end - start), bool)
    own = segments.of(np.flatnonzero(segments.side == side))
    for first, last in zip(own.start, own.end, strict=True):
        shown[max(0, int(first - start)) : max(0, int(last - start))] = True
    return float(shown.mean())


def _pieces(*pieces: tuple[float, float, float, int], slope: float = 0.0) -> Segments:
    """Edges given as start, end, place and side, all with the same slope."""
    start, end, at, side = (np.array(values, float) for values in zip(*pieces, strict=True))
    return Segments(start, end, at + slope * start, at + slope * end, side.astype(np.int8), 1.25)


def _chains(segments: Segments) -> list[list[int]]:
    return sorted(chained(segments))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("level", [65, 120, 255])
@pytest.mark.parametrize("thickness", [1, 2, 9])
def test_both_edges_of_a_line_are_found_on_their_sides(thickness: int, level: int, turned: bool) -> None:
    dark = _paper()
    dark[100 : 100 + thickness, 40:460] = level
    horizontal, vertical = find_segments(np.ascontiguousarray(dark.T) if turned else dark, LEAST)
    along, across = (vertical, horizontal) if turned else (horizontal, vertical)
    assert _share(along, 1, 40, 460) > 0.9
    assert _share(along, -1, 40, 460) > 0.9
    assert _at(along, 1) == pytest.approx(100, abs=1.5)
    assert _at(along, -1) == pytest.approx(100 + thickness - 1, abs=1.5)
    assert np.median(_at(along, 1)) < np.median(_at(along, -1))
    assert not (across.length > 20).any()


def test_edges_of_a_faint_line_beside_a_dark_one_are_found() -> None:
    dark = _paper()
    dark[80:84, 40:460] = 255
    dark[100:102, 40:460] = 20
    horizontal, _ = find_segments(dark, 15)
    for side in (1, -1):
        near = horizontal.of(np.flatnonzero(np.abs(horizontal.first - 100.5) < 3))
        assert _share(near, side, 40, 460) > 0.9


def test_edges_lie_where_the_line_does_however_small_the_scale() -> None:
    dark = np.zeros((1000, 1600), np.uint8)
    dark[500:520, 100:1500] = 255
    for scale in (0.8, 0.4, 0.2):
        horizontal, _ = find_segments(dark, LEAST, scale)
        assert horizontal.pixel >= 1 / scale
        assert np.median(_at(horizontal, 1)) == pytest.approx(500, abs=horizontal.pixel)
        assert np.median(_at(horizontal, -1)) == pytest.approx(519, abs=horizontal.pixel)


@pytest.mark.parametrize(("left", "top"), [(0, 0), (7, 603), (403, 211), (780, 690)])
def test_edges_lie_where_the_line_does_wherever_on_a_blank_sheet(left: int, top: int) -> None:
    dark = np.zeros((700, 900), np.uint8)
    dark[top : top + 4, left : left + 120] = 255
    horizontal, _ = find_segments(dark, LEAST)
    assert horizontal.start.min() == pytest.approx(left, abs=3)
    assert horizontal.end.max() == pytest.approx(left + 119, abs=3)
    assert _at(horizontal, -1) == pytest.approx(top + 3, abs=1.5)


def test_segments_run_from_start_to_end_the_longest_first() -> None:
    dark = np.asarray(255 - write(sheet(500, 200), "2457", (40, 40), 100, 6), np.uint8)
    for found in find_segments(dark, LEAST):
        assert len(found.start) > 4
        assert (found.end >= found.start).all()
        assert (np.diff(found.length) <= 0).all()
        assert set(found.side.tolist()) == {1, -1}


def test_paper_has_no_edges() -> None:
    for found in find_segments(_paper(), LEAST):
        assert len(found.start) == 0
        assert chained(found) == []


def test_what_is_lighter_than_the_faintest_ink_by_far_has_no_edges() -> None:
    dark = _paper()
    dark[100:104, 40:460] = LEAST // 4
    horizontal, vertical = find_segments(dark, LEAST)
    assert len(horizontal.start) == len(vertical.start) == 0


def test_chained_joins_the_pieces_of_one_edge_over_a_gap() -> None:
    assert _chains(_pieces((0, 100, 50, 1), (125, 200, 50, 1))) == [[0, 1]]


def test_chained_goes_from_the_start_of_an_edge_to_its_end() -> None:
    pieces = _pieces((230, 330, 50, 1), (0, 100, 50, 1), (120, 210, 50, 1))
    assert _chains(pieces) == [[1, 2, 0]]


@pytest.mark.parametrize("slope", [-0.2, -0.05, 0.1, 0.3])
def test_chained_joins_pieces_that_lean(slope: float) -> None:
    assert _chains(_pieces((0, 100, 50, 1), (120, 200, 50, 1), slope=slope)) == [[0, 1]]


@pytest.mark.parametrize(("aside", "joined"), [(4, True), (5, False)])
def test_chained_joins_pieces_of_an_edge_that_a_page_bends_between_them(aside: int, joined: bool) -> None:
    segments = _pieces((0, 200, 100, 1), (300, 500, 100 + aside, 1))
    assert _chains(segments) == ([[0, 1]] if joined else [[0], [1]])


@pytest.mark.parametrize(("lower", "joined"), [(4, True), (5.5, False)])
def test_chained_joins_a_piece_whose_other_end_strays_a_little(lower: float, joined: bool) -> None:
    segments = _pieces((0, 300, 100, 1), (310, 510, 100, 1))
    segments = segments._replace(last=segments.last + np.array([0.0, lower]))
    assert _chains(segments) == ([[0, 1]] if joined else [[0], [1]])


@pytest.mark.parametrize("gap", [-3, 5, 20])
def test_chained_does_not_join_two_parallel_lines(gap: int) -> None:
    assert _chains(_pieces((0, 100, 50, 1), (100 + gap, 200, 56, 1))) == [[0], [1]]


def test_chained_keeps_two_lines_beside_each_other_apart() -> None:
    pieces = _pieces((0, 100, 50, 1), (110, 200, 50, 1), (0, 95, 56, 1), (108, 200, 56, 1))
    assert _chains(pieces) == [[0, 1], [2, 3]]


def test_chained_does_not_join_an_upper_edge_and_a_lower_one() -> None:
    assert _chains(_pieces((0, 100, 50, 1), (110, 200, 50, -1))) == [[0], [1]]


def test_chained_does_not_join_pieces_far_from_each_other() -> None:
    assert _chains(_pieces((0, 30, 50, 1), (120, 150, 50, 1))) == [[0], [1]]


def test_chained_does_not_join_a_stroke_that_leans_otherwise() -> None:
    line, stroke = _pieces((0, 100, 50, 1)), _pieces((104, 134, 50 - 0.3 * 104, 1), slope=0.3)
    start, end, first, last, side = (
        np.concatenate([getattr(line, part), getattr(stroke, part)]) for part in Segments._fields[:5]
    )
    both = Segments(start, end, first, last, side, line.pixel)
    assert _chains(both) == [[0], [1]]


def test_the_pieces_of_an_interrupted_line_make_one_edge_on_each_side() -> None:
    dark = _paper()
    dark[100:102, 40:230] = dark[100:102, 250:460] = 255
    horizontal, _ = find_segments(dark, LEAST)
    long = [(horizontal.start[chain[0]], horizontal.end[chain[-1]]) for chain in chained(horizontal)]
    assert [(start, end) for start, end in long if end - start > 50] == [
        (pytest.approx(40, abs=3), pytest.approx(460, abs=3))
    ] * 2


def test_two_lines_of_which_one_ends_where_the_other_begins_make_edges_of_their_own() -> None:
    dark = _paper()
    dark[100:102, 40:240] = dark[106:108, 250:460] = 255
    horizontal, _ = find_segments(dark, LEAST)
    assert max(horizontal.end[chain[-1]] - horizontal.start[chain[0]] for chain in chained(horizontal)) < 220
