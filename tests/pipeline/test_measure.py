"""Figures from answers that are known, so that each can be counted by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline import measure
from pipeline.dataset import Digits
from pipeline.lines import lines

THREE = Digits(np.full((3, 28, 28), 200, np.uint8), np.array([4, 5, 6], np.uint8))


def test_answers_figures_and_recall() -> None:
    probabilities = np.full((4, 10), 0.05, np.float32)
    probabilities[[0, 1, 2, 3], [1, 1, 2, 2]] = 0.55
    rejected = np.array([False, False, False, True])
    told = measure.Answers(probabilities, np.zeros(4, np.float32), rejected, np.array([1, 1, 2, 3], np.uint8))
    figures = told.figures()
    assert (figures["accuracy"], figures["errors"], figures["rejected"]) == (0.75, 1, 0.25)
    assert figures["loss"] == pytest.approx(-(3 * np.log(0.55) + np.log(0.05)) / 4, abs=1e-6)
    assert figures["expected_calibration_error"] == pytest.approx(0.75 - 0.55, abs=1e-6)
    assert told.recall() == {"1": 1.0, "2": 1.0, "3": 0.0}


def test_answers_figures_of_an_impossible_truth_are_finite() -> None:
    sure = np.eye(10, dtype=np.float32)[[3]]
    told = measure.Answers(sure, np.zeros(1, np.float32), np.zeros(1, bool), np.array([4], np.uint8))
    assert told.figures()["loss"] == pytest.approx(-np.log(1e-12))


def test_drawn_counts_rejections_as_wrong_but_not_in_the_calibration() -> None:
    kinds = np.array(["thin", "thin", "thick", "thick"])
    confidence = np.array([1, 1, 1, 0], np.float32)
    redrawn = measure.Drawn(kinds, confidence, np.array([True, True, True, False]))
    assert redrawn.accuracy == 0.75
    assert redrawn.by_kind() == {"thick": 0.5, "thin": 1.0}
    assert redrawn.calibration_error == 0


def test_drawn_of_a_reader_that_rejects() -> None:
    told = iter([(4, 0.9), (None, None), (8, 0.7)])

    def predict(_: object) -> SimpleNamespace:
        digit, confidence = next(told)
        return SimpleNamespace(digit=digit, confidence=confidence)

    reader: Any = SimpleNamespace(predict=predict)
    redrawn = measure.drawn(reader, THREE, most=3, seed=1)
    assert redrawn.right.tolist() == [True, False, False]
    assert redrawn.confidence.tolist() == pytest.approx([0.9, 0, 0.7])


def test_line_accuracy_counts_whole_lines() -> None:
    texts = [text for text, _ in lines(THREE, 4, seed=3)]
    said = iter([texts[0], texts[1][:-1], texts[2], texts[3]])
    reader: Any = SimpleNamespace(read=lambda _: SimpleNamespace(text=next(said)))
    assert measure.line_accuracy(reader, THREE, 4, seed=3) == 0.75
