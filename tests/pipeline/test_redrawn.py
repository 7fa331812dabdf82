from __future__ import annotations

import numpy as np
import pytest

from pipeline.redrawn import tilted


def bar() -> np.ndarray:
    """A standing bar, 60 by 6 pixels."""
    ink = np.zeros((60, 20), np.float32)
    ink[:, 7:13] = 1
    return ink


def lean(ink: np.ndarray) -> float:
    """Columns that the middle of the ink moves to the right from its lower quarter to its upper quarter."""
    rows = np.flatnonzero(ink.sum(axis=1) > 1)
    quarter = len(rows) // 4
    upper, lower = (ink[part].sum(axis=0) for part in (rows[:quarter], rows[-quarter:]))
    at = np.arange(ink.shape[1])
    return float(upper @ at / upper.sum() - lower @ at / lower.sum())


def test_tilted_by_nothing_changes_nothing() -> None:
    ink = bar()
    found = tilted(ink, 0, 0)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert np.array_equal(found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], ink[:, 7:13])


@pytest.mark.parametrize(("degrees", "shear"), [(20, 0), (0, 0.25), (10, 0.1)])
def test_tilted_leans_to_the_right_and_keeps_the_ink(degrees: float, shear: float) -> None:
    ink = bar()
    assert lean(tilted(ink, degrees, shear)) > 5
    assert lean(tilted(ink, -degrees, -shear)) < -5
    assert tilted(ink, degrees, shear).sum() == pytest.approx(ink.sum(), rel=0.02)
