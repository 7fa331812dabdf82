from __future__ import annotations

import numpy as np
import pytest

from pipeline import calibrate


def sampled(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits `scale` times too sure, with truths drawn from what they should say."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4000, 10)).astype(np.float32)
    chances = np.exp(calibrate.log_softmax(honest))
    truth = np.array([rng.choice(10, p=row / row.sum()) for row in chances.astype(float)], np.uint8)
    return np.asarray(honest * scale, np.float32), truth


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_finds_how_much_too_sure(scale: float) -> None:
    assert calibrate.temperature(*sampled(scale)) == pytest.approx(scale, rel=0.08)


def test_temperature_makes_confidence_honest() -> None:
    logits, truth = sampled(3.0)

    def error(divisor: float) -> float:
        chances = np.exp(calibrate.log_softmax(np.asarray(logits / divisor, np.float32)))
        return calibrate.expected_calibration_error(chances.max(axis=1), chances.argmax(axis=1) == truth)

    assert error(1.0) > 0.2
    assert error(calibrate.temperature(logits, truth)) < 0.03


def test_cross_entropy_of_no_knowledge() -> None:
    assert calibrate.cross_entropy(
        np.zeros((3, 10), np.float32), np.array([1, 2, 3], np.uint8)
    ) == pytest.approx(np.log(10))


def test_log_softmax_of_huge_logits() -> None:
    assert calibrate.log_softmax(np.array([[1e4, 0]], np.float32)).tolist() == [[0, -1e4]]


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.75] * 4, [True] * 3 + [False], 0.0),
    ],
)
def test_expected_calibration_error(confidence: list[float], right: list[bool], expected: float) -> None:
    error = calibrate.expected_calibration_error(np.array(confidence, np.float32), np.array(right))
    assert error == pytest.approx(expected)
