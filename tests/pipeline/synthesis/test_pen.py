from __future__ import annotations

import numpy as np
import pytest

from pipeline.synthesis.forms import DIGITS, SIGNS, strokes
from pipeline.synthesis.pen import Hand, curve, draw, some_pen, write

STILL = Hand(jitter=(0, 0), slant=0, turn=0, aspect=0, proportion=0, bend=0, apart=0, ends=0, tremor=0)


def generator() -> np.random.Generator:
    return np.random.default_rng(8)


def test_strokes_reads_points_corners_and_strokes() -> None:
    first, second = strokes("0,0 10,5! 20,0/3,4 5,6")
    assert first.points.tolist() == [[0, 0], [10, 5], [20, 0]]
    assert first.corners.tolist() == [False, True, False]
    assert second.points.tolist() == [[3, 4], [5, 6]]


def test_every_form_can_be_read() -> None:
    forms = [form for each in DIGITS.values() for _, form in each] + list(SIGNS.values())
    assert set(DIGITS) == set(range(10))
    assert all(len(stroke.points) >= 2 for form in forms for stroke in strokes(form))


def test_curve_passes_through_its_points() -> None:
    points = np.array([[0.0, 0.0], [10.0, 5.0], [0.0, 10.0], [5.0, 20.0]])
    way = curve(points, np.array([False, True, False, False]))
    assert all(np.abs(way - point).sum(axis=1).min() < 1e-9 for point in points)


def test_curve_turns_sharply_only_at_corners() -> None:
    points = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    sharp, round_ = (curve(points, np.array([False, corner, False])) for corner in (True, False))
    assert all(x == 10 or y == 0 for x, y in sharp)
    assert any(x != 10 and y != 0 for x, y in round_)


@pytest.mark.parametrize("width", [1, 6, 15])
def test_draw_fits_the_side_and_the_pen(width: int) -> None:
    ink = draw([np.array([[0.0, 0.0], [0.0, 50.0]])], 80.0, width)
    rows, columns = (np.flatnonzero((ink > 0.5).any(axis=axis)) for axis in (1, 0))
    assert np.ptp(rows) + 1 == pytest.approx(80, abs=2)
    assert width <= np.ptp(columns) + 1 <= width + 3  # OpenCV draws soft lines a little wider
    assert 0 <= ink.min() < 0.7 < ink.max() <= 1


def test_write_with_a_still_hand_keeps_the_form_and_another_strays() -> None:
    form = strokes("0,0 0,100")
    (still,) = write(form, generator(), STILL)
    (moved,) = write(form, generator())
    assert np.ptp(still[:, 1]) == pytest.approx(100, abs=0.1)
    assert not np.allclose(still, moved)


def test_some_pen_goes_from_thin_to_thick() -> None:
    random = generator()
    shares = [width / side for side, width in (some_pen(random) for _ in range(300))]
    assert min(shares) < 0.03
    assert 0.15 < max(shares) < 0.22
