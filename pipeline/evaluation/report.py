"""The metrics on the test set with 95 % intervals. They are reported, but used for no decision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES
from digits.reader import Reader
from pipeline.evaluation.drawn import DrawnAnswers
from pipeline.evaluation.intervals import Interval, of_auroc, of_share, resampled
from pipeline.evaluation.metrics import (
    Answers,
    answers,
    auroc,
    expected_calibration_error,
    false_rejects,
    rejection_figures,
    scores_by_kind,
)
from pipeline.mnist.dataset import load_drawn
from pipeline.training.data import digits_by_source

_SEED = 1  # for the intervals


class Report(NamedTuple):
    """Metrics by name, some of them grouped by kind, and the intervals of most of them, in the same order."""

    figures: dict[str, Any]
    intervals: dict[str, Any]


def of_digits(read: Answers, drawn: DrawnAnswers) -> Report:
    """Report on the test digits as they are, and redrawn on canvases."""
    figures, redrawn = read.figures(), drawn.redrawn
    told = redrawn.confidence > 0  # a rejected digit has no confidence
    return Report(
        {
            "test_accuracy": figures["accuracy"],
            "test_loss": figures["loss"],
            "test_errors": figures["errors"],
            "test_rejected": figures["rejected"],
            "canvas_accuracy": redrawn.accuracy,
            "expected_calibration_error": figures["expected_calibration_error"],
            "canvas_calibration_error": redrawn.calibration_error,
            "canvas": redrawn.by_kind(),
            "recall": read.recall(),
        },
        {
            "test_accuracy": of_share(read.right),
            "test_rejected": of_share(read.rejected),
            "canvas_accuracy": of_share(redrawn.right),
            "expected_calibration_error": _of_calibration(read.confidence, read.right),
            "canvas_calibration_error": _of_calibration(redrawn.confidence[told], redrawn.right[told]),
            "canvas": _by_kind(redrawn.kinds, redrawn.right),
            "recall": _by_kind(read.truth, read.right),
        },
    )


def of_handwriting(
    reader: Reader, plain: Answers, drawn: DrawnAnswers, data: Path, marks: int, seed: int
) -> Report:
    """Report on synthetic sets, lines and papers, and on `marks` marks of each kind that is not a digit."""
    prototypes = answers(reader.model, load_drawn(data, "test", "prototypes")).right
    spoilt = load_drawn(data, "test", "spoilt")
    of_spoilt = answers(reader.model, spoilt.take(np.flatnonzero(spoilt.labels < CLASSES))).right
    others = answers(reader.model, load_drawn(data, "test", "negatives")).scores
    threshold = reader.model.manifest.rejection_threshold
    limit = np.inf if threshold is None else threshold
    papers = drawn.papers
    wrong, characters = papers.wrong, papers.characters
    lost = false_rejects(reader.model, digits_by_source(data, "test"))
    kinds = scores_by_kind(reader.model, marks, seed + 1)
    return Report(
        {
            "prototype_accuracy": float(prototypes.mean()),
            "spoilt_accuracy": float(of_spoilt.mean()),
            "line_accuracy": drawn.line_accuracy,
            "paper_accuracy": papers.score.accuracy,
            "paper_character_errors": papers.score.wrong,
            "papers_right": papers.score.right,
            "number_calibration_error": papers.calibration_error,
            **rejection_figures(plain.scores, others, limit),
            "false_rejects": {source: float(which.mean()) for source, which in lost.items()},
            "reject_auroc_of": {kind: auroc(plain.scores, scores) for kind, scores in kinds.items()},
        },
        {
            "prototype_accuracy": of_share(prototypes),
            "spoilt_accuracy": of_share(of_spoilt),
            "line_accuracy": of_share(drawn.lines),
            "paper_accuracy": resampled(
                lambda some: max(0.0, 1 - _share(wrong, characters, some)), len(wrong), _SEED
            ),
            "paper_character_errors": resampled(
                lambda some: _share(wrong, characters, some), len(wrong), _SEED
            ),
            "papers_right": of_share(np.array([outcome.right for outcome in papers.outcomes], bool)),
            "number_calibration_error": _of_calibration(papers.confidence, papers.right),
            "reject_auroc": of_auroc(plain.scores, others),
            "false_reject_rate": of_share(plain.scores > limit),
            "false_accept_rate": of_share(others <= limit),
            "false_rejects": {source: of_share(which) for source, which in lost.items()},
            "reject_auroc_of": {kind: of_auroc(plain.scores, scores) for kind, scores in kinds.items()},
        },
    )


def _share(part: NDArray[np.float64], whole: NDArray[np.float64], some: NDArray[np.intp]) -> float:
    return float(part[some].sum() / whole[some].sum())


def _of_calibration(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> Interval:
    return resampled(
        lambda some: expected_calibration_error(confidence[some], right[some]), len(right), _SEED
    )


def _by_kind(kinds: NDArray[Any], right: NDArray[np.bool_]) -> Mapping[str, Interval]:
    return {str(kind): of_share(right[kinds == kind]) for kind in np.unique(kinds)}
