from __future__ import annotations

import numpy as np

from pipeline.prototypes import prototypes


def test_prototypes_are_balanced_and_keep_the_input_contract() -> None:
    digits = prototypes(50, seed=1)
    assert digits.images.shape == (50, 28, 28)
    assert digits.images.dtype == np.uint8
    assert digits.per_class() == [5] * 10
    for image in digits.images:
        rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
        assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21


def test_prototypes_follow_from_the_seed() -> None:
    first, again, other = prototypes(20, seed=1), prototypes(20, seed=1), prototypes(20, seed=2)
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
