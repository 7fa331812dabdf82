from __future__ import annotations

import numpy as np
import pytest

from digits.network.probabilities import all_right, log_sum_exp, softmax

LOGITS = np.random.default_rng(0).normal(0, 3, (6, 10)).astype(np.float32)
HUGE = np.array([[1e4, 0, -1e4]], np.float32)


def test_softmax_is_the_share_of_each_exponential() -> None:
    raised = np.exp(LOGITS.astype(float))
    assert softmax(LOGITS) == pytest.approx(raised / raised.sum(axis=1, keepdims=True), abs=1e-6)
    assert softmax(LOGITS).dtype == np.float32


def test_softmax_leaves_the_logits_as_they_are() -> None:
    before = LOGITS.copy()
    softmax(LOGITS)
    assert np.array_equal(LOGITS, before)


def test_log_sum_exp_is_the_logarithm_of_the_sum() -> None:
    assert log_sum_exp(LOGITS) == pytest.approx(np.log(np.exp(LOGITS.astype(float)).sum(axis=1)), abs=1e-5)


def test_huge_logits_overflow_nowhere() -> None:
    assert softmax(HUGE).tolist() == [[1, 0, 0]]
    assert log_sum_exp(HUGE).tolist() == [1e4]


def test_a_number_is_less_sure_than_its_digits_together() -> None:
    assert 0.5 < all_right([0.9]) < 0.9
    assert all_right([0.99, 0.98, 0.97]) < 0.99 * 0.98 * 0.97
    assert all_right([0.99, 0.99]) < all_right([0.99])


@pytest.mark.parametrize("sure", [0.0, 0.5, 1.0])
def test_what_is_known_for_certain_or_not_at_all_stays_so(sure: float) -> None:
    assert all_right([sure]) == sure
