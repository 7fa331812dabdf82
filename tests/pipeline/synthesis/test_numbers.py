from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.synthesis.numbers import circled, level_stroke, struck, written
from pipeline.synthesis.writers import PenWriter


def test_signs_stand_where_they_belong() -> None:
    rng = np.random.default_rng(2)
    number = written("-1,5", PenWriter(rng, pen=0.08), 100, rng)
    below = number.ink[number.foot + 6 :]
    assert below.any()  # the comma's tail
    minus = number.ink[:, : int(0.3 * 100)]
    rows = np.flatnonzero((minus > 0.5).any(axis=1))
    assert rows.max() < number.foot - 25  # well above the foot
    assert rows.max() - rows.min() < 25


@pytest.mark.parametrize("text", ["12", "508", "3947"])
def test_touching_digits_are_fewer_pieces_than_apart(text: str) -> None:
    pieces = [0, 0]
    for seed in range(8):
        for touching in (False, True):
            rng = np.random.default_rng(seed)
            ink = written(text, PenWriter(rng, pen=0.08), 80, rng, touching=touching).ink
            pieces[touching] += cv2.connectedComponents((ink > 0.5).astype(np.uint8))[0] - 1
    assert pieces[0] >= 8 * len(text)
    assert pieces[1] < 0.6 * pieces[0]


def test_struck_and_circled_cover_what_they_are_asked_to() -> None:
    rng = np.random.default_rng(1)
    assert struck(60, 40, 3, rng).shape == pytest.approx((40, 60), rel=0.35)
    ring = circled(60, 50, 3, rng)
    assert ring.shape == pytest.approx((53, 63), rel=0.15)
    assert ring[ring.shape[0] // 2, ring.shape[1] // 2] == 0


def test_a_level_stroke_lies() -> None:
    ink = level_stroke(120, 5, np.random.default_rng(0))
    assert ink.shape[1] > 100
    assert ink.shape[0] < 25
