from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom, Run
from digits.layout.grouping import settle
from digits.network.model import Classification, Model


class BarReader(Model):
    """A fake network that reads a single upright bar as 1 and rejects everything else."""

    def __init__(self) -> None:
        self.asked = 0

    def classify(self, batch: NDArray[np.float32]) -> Classification:
        self.asked += len(batch)
        wide = np.array([np.ptp(np.flatnonzero(seen.any(axis=(0, 2)))) + 1 for seen in batch])
        probabilities = np.full((len(batch), 10), 0.01, np.float32)
        probabilities[:, 1] = 0.91
        return Classification(probabilities, np.where(wide > 8, 6.0, -6.0).astype(np.float32))

    def is_rejected(self, score: float, *, on_scan: bool = False) -> bool:
        return score > 0 and not on_scan


def _bar(left: int, height: int = 80) -> Atom:
    return Atom((left, 80 - height, left + 12, 80), np.full((height, 12), 255, np.uint8))


def test_settle_keeps_neighbours_apart_that_read_better_alone() -> None:
    (found,) = settle(BarReader(), [Run((_bar(0), _bar(30), _bar(60)), 80)])
    assert [mark.atom.box[0] for mark in found] == [0, 30, 60]


def test_settle_joins_pieces_that_read_better_together() -> None:
    upper = Atom((0, 0, 12, 38), np.full((38, 12), 255, np.uint8))
    lower = Atom((1, 44, 13, 80), np.full((36, 12), 255, np.uint8))
    (found,) = settle(BarReader(), [Run((upper, lower), 80)])
    assert [mark.atom.box for mark in found] == [(0, 0, 13, 80)]


def test_settle_cuts_what_cannot_be_read_whole() -> None:
    pixels = np.zeros((80, 70), np.uint8)
    pixels[:, :12] = pixels[:, 58:] = 255
    pixels[40:42] = 255
    (found,) = settle(BarReader(), [Run((Atom((0, 0, 70, 80), pixels),), 80)])
    assert len(found) >= 2
    assert found[0].atom.box[0] == 0
    assert found[-1].atom.box[2] == 70


def test_settle_finds_one_digit_in_a_box_for_one() -> None:
    digit, trace = _bar(0), Atom((40, 20, 46, 60), np.full((40, 6), 255, np.uint8))
    box = Run((digit, trace), 80, single=True)
    found, beside = settle(BarReader(), [box, Run((digit, trace), 80)])
    assert [mark.atom.box for mark in found] == [digit.box]
    assert [mark.atom.box for mark in beside] == [digit.box, trace.box]


def test_settle_cuts_no_mark_of_a_box_for_one_in_two() -> None:
    pixels = np.zeros((80, 70), np.uint8)
    pixels[:, :12] = pixels[:, 58:] = 255
    pixels[40:42] = 255
    (found,) = settle(BarReader(), [Run((Atom((0, 0, 70, 80), pixels),), 80, single=True)])
    assert len(found) == 1


def test_settle_asks_once_for_marks_that_stand_alone() -> None:
    model = BarReader()
    settle(model, [Run((_bar(0),), 80), Run((_bar(50),), 80)])
    assert model.asked == 2


def test_settle_of_nothing_is_nothing() -> None:
    assert settle(BarReader(), []) == []
