from __future__ import annotations

import numpy as np

from pipeline.mnist.dataset import Digits
from pipeline.synthesis.negatives import NOT_A_DIGIT
from pipeline.synthesis.spoilt import scans, spoilt


def ones(count: int) -> Digits:
    """Standing bars, 20 pixels high."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 4:24, 12:15] = 255
    return Digits(images, np.ones(count, np.uint8))


def test_spoilt_has_the_splits_own_digits_other_forms_and_marks_that_are_none() -> None:
    made = spoilt(ones(30), 100, seed=1)
    assert made.images.shape == (100, 28, 28)
    assert (made.labels == NOT_A_DIGIT).sum() == 20
    assert 40 <= (made.labels == 1).sum() <= 55  # the split's own are all ones
    assert len(np.unique(made.labels)) > 8


def test_spoilt_is_mixed_and_has_ink_everywhere() -> None:
    made = spoilt(ones(30), 100, seed=1)
    assert made.images.reshape(100, -1).max(axis=1).min() > 100
    assert 4 <= (made.labels[:50] == NOT_A_DIGIT).sum() <= 16


def test_spoilt_follows_from_its_seed() -> None:
    first, again, other = (spoilt(ones(10), 20, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_spoilt_takes_every_digit_of_a_split_before_any_comes_again() -> None:
    """Two bars with different labels. Four own digits are drawn, so each label occurs at least twice."""
    digits = ones(2)
    digits.labels[1] = 7
    made = spoilt(digits, 10, seed=3)
    own = np.bincount(made.labels, minlength=11)
    assert own[1] >= 2
    assert own[7] >= 2


def test_scans_hold_the_same_kinds_of_marks() -> None:
    made = scans(ones(30), 100, seed=1)
    assert (made.labels == NOT_A_DIGIT).sum() == 20
    assert made.images.reshape(100, -1).max(axis=1).min() > 100
    assert not np.array_equal(made.images, spoilt(ones(30), 100, seed=1).images)
