from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.network.probabilities import softmax
from pipeline.evaluation.metrics import expected_calibration_error
from pipeline.training.calibration import cross_entropy, rejection_threshold, temperature


def sampled(scale: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return logits that are overconfident by `scale`, with labels drawn from the calibrated ones."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4000, 10)).astype(np.float32)
    chances = softmax(honest)
    truth = np.array([rng.choice(10, p=row / row.sum()) for row in chances.astype(float)], np.uint8)
    return np.asarray(honest * scale, np.float32), truth


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_finds_how_much_too_sure(scale: float) -> None:
    assert temperature(*sampled(scale)) == pytest.approx(scale, rel=0.08)


def test_temperature_makes_confidence_honest() -> None:
    logits, truth = sampled(3.0)

    def error(divisor: float) -> float:
        chances = softmax(np.asarray(logits / divisor, np.float32))
        return expected_calibration_error(chances.max(axis=1), chances.argmax(axis=1) == truth)

    assert error(1.0) > 0.2
    assert error(temperature(logits, truth)) < 0.03


def test_cross_entropy_of_no_knowledge() -> None:
    assert cross_entropy(np.zeros((3, 10), np.float32), np.array([1, 2, 3], np.uint8)) == pytest.approx(
        np.log(10)
    )


def test_rejection_threshold_rejects_the_share_that_is_asked_for() -> None:
    scores = np.arange(1000, dtype=np.float32)
    assert (scores > rejection_threshold(scores, 0.01)).mean() == pytest.approx(0.01)


def test_rejection_threshold_rejects_at_most_twice_that_share_of_another_source() -> None:
    usual, harder = np.arange(1000, dtype=np.float32), np.arange(500, 1500, dtype=np.float32)
    limit = rejection_threshold(usual, 0.01, [usual[:100], harder])
    assert (harder > limit).mean() == pytest.approx(0.02)
    assert rejection_threshold(usual, 0.01, [usual[:100]]) == rejection_threshold(usual, 0.01)


def test_rejection_threshold_with_a_source_of_which_nothing_is_read() -> None:
    usual = np.arange(1000, dtype=np.float32)
    assert rejection_threshold(usual, 0.01, [usual[:0]]) == rejection_threshold(usual, 0.01)
