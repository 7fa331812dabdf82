from __future__ import annotations

import cv2
import numpy as np
import pytest

from digits.network.network_input import InkMap
from pipeline.synthesis.defects import blurred, coarse, crossed_by_rule, cut_from, scanned, worn
from pipeline.synthesis.pen import draw


def generator(seed: int = 8) -> np.random.Generator:
    return np.random.default_rng(seed)


def ring(width: int = 8) -> InkMap:
    """A ring of 100 pixels."""
    turn = np.linspace(0, 2 * np.pi, 60)
    return draw([np.stack([np.cos(turn), np.sin(turn)], axis=1)], 100.0, width)


def test_worn_changes_some_ink_and_keeps_the_range() -> None:
    ink = draw([np.array([[0.0, 0.0], [30.0, 50.0]])], 80.0, 12)
    changed = worn(ink.copy(), generator())
    assert 0 < (changed != ink).mean() < 0.3
    assert 0 <= changed.min() <= changed.max() <= 1


def test_scanned_has_few_pixels_and_is_sometimes_black_and_white_or_stretched() -> None:
    random = generator()
    ink = draw([np.array([[0.0, 0.0], [30.0, 100.0]])], 80.0, 12)
    scans = [scanned(ink, random) for _ in range(60)]
    assert {max(scan.shape) for scan in scans} <= set(range(9, 25))
    assert {len(np.unique(scan)) == 2 for scan in scans} == {True, False}
    assert max(scan.shape[1] / scan.shape[0] for scan in scans) > 1.5 * ink.shape[1] / ink.shape[0]
    assert all(0 <= scan.min() < scan.max() <= 1 + 1e-6 for scan in scans)


def test_scan_of_a_hair_has_full_ink() -> None:
    random = generator()
    hair = draw([np.array([[0.0, 0.0], [30.0, 100.0]])], 110.0, 1)
    assert all(scanned(hair, random).max() == pytest.approx(1) for _ in range(30))


def test_blurred_has_soft_edges_and_the_size_of_a_digit_in_a_photo() -> None:
    random = generator()
    seen = [blurred(ring(), random) for _ in range(60)]
    assert all(10 <= max(ink.shape) <= 70 for ink in seen)
    assert all(0 <= ink.min() <= ink.max() <= 1 for ink in seen)
    assert min(((ink > 0.02) & (ink < 0.98)).sum() / (ink > 0.02).sum() for ink in seen) > 0.1


def test_blurred_fills_narrow_loops_and_leaves_wide_ones_open() -> None:
    """The hole of a thick ring is as wide as its stroke, so the strongest blur closes it in part."""
    random = generator()

    def holes(width: int) -> list[float]:
        made = (blurred(ring(width), random) for _ in range(60))
        return [float(ink[ink.shape[0] // 2, ink.shape[1] // 2]) for ink in made]

    assert np.mean(holes(6)) < 0.1
    assert max(holes(34)) > 0.5


def test_crossed_by_rule_leaves_most_of_the_ink() -> None:
    random = generator()
    ink = ring()
    seen = [float(crossed_by_rule(ink, random).sum() / ink.sum()) for _ in range(100)]
    assert 0.5 < min(seen) < 0.9  # a line along a side takes most
    assert 1.0 < max(seen) < 1.6


def test_crossed_by_rule_sometimes_cuts_the_ink_and_sometimes_adds_to_it_close_by() -> None:
    random = generator()
    ink = ring()
    reach = np.ones((31, 31), np.uint8)
    pieces = []
    for _ in range(60):
        crossed = crossed_by_rule(ink, random)
        pieces.append(cv2.connectedComponents((crossed > 0.5).astype(np.uint8))[0] - 1)
        away = (crossed.shape[0] - ink.shape[0]) // 2
        near = cv2.dilate(np.pad(ink, away), reach)
        assert not (crossed[near == 0] > 0).any()
    assert 1 in pieces
    assert 2 in pieces


def test_cut_from_keeps_nearly_all_ink_and_little_of_the_neighbour() -> None:
    random = generator()
    ink = ring()
    shares = [float(cut_from(ring(), ink, random).sum() / ink.sum()) for _ in range(60)]
    assert min(shares) > 0.6
    assert max(shares) < 1.4
    assert min(shares) < 0.97 < 1.03 < max(shares)


def test_cut_from_has_the_neighbour_on_either_side() -> None:
    """The side of a ring with more ink is where it was cut off, or where part of its neighbour remains."""
    random = generator()
    left, right = [], []
    for _ in range(40):
        cut = cut_from(ring(), ring(), random) > 0.5
        left.append(int(cut[:, :3].sum()))
        right.append(int(cut[:, -3:].sum()))
    assert any(a > b + 10 for a, b in zip(left, right, strict=True))
    assert any(b > a + 10 for a, b in zip(left, right, strict=True))


def test_cut_from_gives_no_more_paper_than_there_is_ink() -> None:
    cut = cut_from(ring(), ring(), generator())
    assert cut[0].any()
    assert cut[-1].any()
    assert cut[:, 0].any()
    assert cut[:, -1].any()


def test_coarse_is_cut_out_tightly_in_few_pixels_mostly_black_and_white() -> None:
    random, ink = generator(), ring()
    seen = [coarse(ink[:, : ink.shape[1] // 3], random) for _ in range(100)]
    assert {max(scan.shape) for scan in seen} <= set(range(7, 18))
    assert 20 < sum(max(scan.shape) == 8 for scan in seen) < 50
    assert 40 < sum(len(np.unique(scan)) == 2 for scan in seen) < 80
    assert {scan.shape[1] == scan.shape[0] for scan in seen} == {True, False}


def test_coarse_does_not_widen_a_line_to_a_block() -> None:
    random = generator()
    hair = draw([np.array([[0.0, 0.0], [0.0, 100.0]])], 100.0, 6)
    assert max(scan.shape[1] / scan.shape[0] for scan in (coarse(hair, random) for _ in range(60))) < 0.5
