"""Metrics of known answers, which can be checked by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits import Look, Prediction, Reading
from pipeline.evaluation import metrics
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.lines import number_lines
from pipeline.synthesis.negatives import NAMED
from traffic.counts import Counts

LOOK = Look(paper=1.0, ink=0.05, size=0.5, stroke=0.1)
THREE = Digits(np.full((3, 28, 28), 200, np.uint8), np.array([4, 5, 6], np.uint8))


def test_answers_figures_and_recall() -> None:
    probabilities = np.full((4, 10), 0.05, np.float32)
    probabilities[[0, 1, 2, 3], [1, 1, 2, 2]] = 0.55
    rejected = np.array([False, False, False, True])
    told = metrics.Answers(probabilities, np.zeros(4, np.float32), rejected, np.array([1, 1, 2, 3], np.uint8))
    figures = told.figures()
    assert (figures["accuracy"], figures["errors"], figures["rejected"]) == (0.75, 1, 0.25)
    assert figures["loss"] == pytest.approx(-(3 * np.log(0.55) + np.log(0.05)) / 4, abs=1e-6)
    assert figures["expected_calibration_error"] == pytest.approx(0.75 - 0.55, abs=1e-6)
    assert told.recall() == {"1": 1.0, "2": 1.0, "3": 0.0}


def test_answers_figures_of_an_impossible_truth_are_finite() -> None:
    sure = np.eye(10, dtype=np.float32)[[3]]
    told = metrics.Answers(sure, np.zeros(1, np.float32), np.zeros(1, bool), np.array([4], np.uint8))
    assert told.figures()["loss"] == pytest.approx(-np.log(1e-12))


def test_redrawn_counts_rejections_as_wrong_but_not_in_the_calibration() -> None:
    kinds = np.array(["thin", "thin", "thick", "thick"])
    confidence = np.array([1, 1, 1, 0], np.float32)
    redrawn = metrics.RedrawnAnswers(kinds, confidence, np.array([True, True, True, False]))
    assert redrawn.accuracy == 0.75
    assert redrawn.by_kind() == {"thick": 0.5, "thin": 1.0}
    assert redrawn.calibration_error == 0


def test_read_redrawn_of_a_reader_that_rejects() -> None:
    told = iter([(4, 0.9), (None, None), (8, 0.7)])

    def predict(_: object) -> tuple[Prediction, Look]:
        digit, confidence = next(told)
        return Prediction(digit, confidence, None, None if confidence else "not_a_digit", "1"), LOOK

    reader: Any = SimpleNamespace(predict_and_look=predict)
    counts = Counts()
    redrawn = metrics.read_redrawn(reader, THREE, most=3, seed=1, counts=counts)
    assert counts.histograms["predict"]["outcome"] == [2, 1, 0]
    assert redrawn.right.tolist() == [True, False, False]
    assert redrawn.confidence.tolist() == pytest.approx([0.9, 0, 0.7])


def test_read_lines_counts_whole_lines() -> None:
    texts = [text for text, _ in number_lines(THREE, 4, seed=3)]
    said = iter([texts[0], texts[1][:-1], texts[2], texts[3]])
    reader: Any = SimpleNamespace(read_and_look=lambda _: (Reading(next(said), (), (), (), "1"), LOOK))
    counts = Counts()
    assert metrics.read_lines(reader, THREE, 4, seed=3, counts=counts).tolist() == [True, False, True, True]
    assert counts.pictures("read") == 4


def test_rejection_figures_of_scores_that_part_all() -> None:
    figures = metrics.rejection_figures(np.array([-3, -2], np.float32), np.array([1, 2], np.float32), 0.0)
    assert figures == {"reject_auroc": 1.0, "false_reject_rate": 0.0, "false_accept_rate": 0.0}


def test_rejection_figures_count_both_kinds_of_error() -> None:
    digits, others = np.array([-3, -2, -1, 5], np.float32), np.array([-4, 1], np.float32)
    figures = metrics.rejection_figures(digits, others, 0.0)
    assert figures["false_reject_rate"] == 0.25
    assert figures["false_accept_rate"] == 0.5
    assert figures["reject_auroc"] == pytest.approx(3 / 8)


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [True, False], 0.5),
        ([0.75] * 4, [True] * 3 + [False], 0.0),
    ],
)
def test_expected_calibration_error(confidence: list[float], right: list[bool], expected: float) -> None:
    error = metrics.expected_calibration_error(np.array(confidence, np.float32), np.array(right))
    assert error == pytest.approx(expected)


def test_false_rejects_count_only_what_would_have_been_read_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 4 is right but rejected, the 5 is wrong and rejected, and the 6 is right."""
    model: Any = SimpleNamespace(is_rejected=lambda score, on_scan: score > (2 if on_scan else 0))
    probabilities, scores = np.eye(10, dtype=np.float32)[[4, 7, 6]], np.array([1, 1, -1], np.float32)
    told = metrics.Answers(probabilities, scores, scores > 0, THREE.labels)
    monkeypatch.setattr(metrics, "answers", lambda *_: told)
    rejected = metrics.false_rejects(model, {"thick": THREE, "scans": THREE})
    assert {source: float(which.mean()) for source, which in rejected.items()} == {
        "thick": pytest.approx(1 / 3),
        "scans": 0.0,
    }


def test_scores_by_kind_judge_every_kind_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that rejects a mark the more ink it has."""

    def answers(_model: object, digits: Digits) -> metrics.Answers:
        ink = np.asarray(digits.images.mean(axis=(1, 2)), np.float32)
        chances, rejected = np.full((digits.total, 10), 0.1, np.float32), ink > 0
        return metrics.Answers(chances, ink, rejected, digits.labels)

    monkeypatch.setattr(metrics, "answers", answers)
    model: Any = SimpleNamespace(manifest=SimpleNamespace(rejection_threshold=0.0))
    blank = answers(None, Digits(np.zeros((3, 28, 28), np.uint8), THREE.labels))
    full = answers(None, Digits(np.full((3, 28, 28), 255, np.uint8), THREE.labels))
    found = metrics.scores_by_kind(model, 3, seed=1)
    assert list(found) == list(NAMED)
    for scores in found.values():
        assert metrics.auroc(blank.scores, scores) == 1.0
        assert metrics.auroc(full.scores, scores) == 0.0
