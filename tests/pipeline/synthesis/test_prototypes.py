from __future__ import annotations

import numpy as np

from pipeline.synthesis.prototypes import prototypes


def test_prototypes_keep_their_shares_and_the_input_contract() -> None:
    digits = prototypes(56, seed=1)
    assert digits.images.shape == (56, 28, 28)
    assert digits.images.dtype == np.uint8
    assert digits.per_class() == [4, 12, 4, 4, 8, 4, 4, 8, 4, 4]
    for image in digits.images:
        rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
        assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21


def test_prototypes_follow_from_the_seed() -> None:
    first, again, other = prototypes(20, seed=1), prototypes(20, seed=1), prototypes(20, seed=2)
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
