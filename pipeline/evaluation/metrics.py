"""Metrics of a model's answers to digits: plain, redrawn on canvases, and in lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from digits.network.model import Model
from digits.reader import Reader
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.canvas import canvases
from pipeline.synthesis.lines import number_lines
from pipeline.synthesis.negatives import NAMED, marks_of
from traffic.counts import Counts

CALIBRATION_BINS = 15  # of confidence, equally wide
BATCH = 500  # digits at a time, to limit memory


@dataclass(frozen=True)
class Answers:
    """A model's answers to n digits: probabilities (n, 10), rejected (n,), and the labels `truth` (n,).

    `scores` (n,) are the log odds that each is not a digit.
    """

    probabilities: NDArray[np.float32]
    scores: NDArray[np.float32]
    rejected: NDArray[np.bool_]
    truth: NDArray[np.uint8]

    @cached_property
    def digits(self) -> NDArray[np.uint8]:
        """The most probable digits (n,), whether rejected or not."""
        return np.asarray(self.probabilities.argmax(axis=1), np.uint8)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.digits == self.truth)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        return np.asarray(self.probabilities.max(axis=1))

    def figures(self) -> dict[str, float]:
        """Return accuracy, loss, number of mistakes, calibration error, and the share of rejected digits."""
        chances = self.probabilities[np.arange(len(self.truth)), self.truth]
        return {
            "accuracy": float(self.right.mean()),
            "loss": -float(np.log(np.maximum(chances, 1e-12)).mean()),
            "errors": int((~self.right).sum()),
            "expected_calibration_error": expected_calibration_error(self.confidence, self.right),
            "rejected": float(self.rejected.mean()),
        }

    def recall(self) -> dict[str, float]:
        """Return the accuracy of each digit that occurs."""
        return {str(digit): float(self.right[self.truth == digit].mean()) for digit in np.unique(self.truth)}


def answers(model: Model, digits: Digits) -> Answers:
    """Return a model's answers to digits as they are, without ink extraction."""
    probabilities, scores = [], []
    for at in range(0, digits.total, BATCH):
        result = model.classify(digits.images[at : at + BATCH, :, :, None].astype(np.float32))
        probabilities.append(result.probabilities)
        scores.append(result.rejection)
    score = np.concatenate(scores)
    rejected = np.array([model.is_rejected(float(value)) for value in score], bool)
    return Answers(np.concatenate(probabilities), score, rejected, digits.labels)


@dataclass(frozen=True)
class RedrawnAnswers:
    """A reader's answers to redrawn digits: kinds of drawing (n,), confidence (n,) and right (n,).

    A rejected digit is not right, and its confidence is 0.
    """

    kinds: NDArray[np.str_]
    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of the digits that were not rejected."""
        told = self.confidence > 0
        return expected_calibration_error(self.confidence[told], self.right[told])

    def by_kind(self) -> dict[str, float]:
        """Return the accuracy of each kind of drawing."""
        return {str(kind): float(self.right[self.kinds == kind].mean()) for kind in np.unique(self.kinds)}


def read_redrawn(reader: Reader, digits: Digits, most: int, seed: int, counts: Counts) -> RedrawnAnswers:
    """Read the first `most` of the digits redrawn on canvases, and add their drift features to `counts`."""
    told: dict[str, list[object]] = defaultdict(list)
    for (kind, canvas), label in zip(canvases(digits.images[:most], seed), digits.labels[:most], strict=True):
        answer, look = reader.predict_and_look(canvas)
        counts.add_prediction(answer, look, canvas.width * canvas.height)
        told["kind"].append(kind)
        told["confidence"].append(answer.confidence or 0.0)
        told["right"].append(answer.digit == label)
    confidence = np.array(told["confidence"], np.float32)
    return RedrawnAnswers(np.array(told["kind"]), confidence, np.array(told["right"], bool))


def false_rejects(model: Model, sources: Mapping[str, Digits]) -> dict[str, NDArray[np.bool_]]:
    """Return which of each source's digits (n,) are rejected although the most probable digit is right."""
    return {name: _false_rejects(model, answers(model, digits), name) for name, digits in sources.items()}


def _false_rejects(model: Model, told: Answers, source: str) -> NDArray[np.bool_]:
    rejected = [model.is_rejected(float(score), on_scan=source == "scans") for score in told.scores]
    return np.array(rejected, bool) & told.right


def scores_by_kind(model: Model, count: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Return the rejection scores (count,) of marks of each kind in `NAMED`."""
    return {
        kind: answers(model, marks_of(kind, count, [seed, number])).scores
        for number, kind in enumerate(NAMED)
    }


def auroc(digits: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """Return the AUROC of rejection scores of digits (n,) against those of other marks (m,), 0..1."""
    truth = np.concatenate([np.zeros(len(digits)), np.ones(len(others))])
    return float(roc_auc_score(truth, np.concatenate([digits, others])))


def rejection_figures(
    digits: NDArray[np.float32], others: NDArray[np.float32], limit: float
) -> dict[str, float]:
    """Return the AUROC of rejection scores of digits (n,) and others (m,), and the error rates at `limit`."""
    return {
        "reject_auroc": auroc(digits, others),
        "false_reject_rate": float((digits > limit).mean()),
        "false_accept_rate": float((others <= limit).mean()),
    }


def expected_calibration_error(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """Return the mean gap of confidence (n,) and accuracy, 0..1, over equally wide bins weighted by size.

    It is 0 if there are no answers. Source: Guo et al., arXiv 1706.04599.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float((right[bin_of == b] - confidence[bin_of == b]).sum())) for b in range(bins)]
    return sum(gaps) / max(1, len(right))


def read_lines(reader: Reader, digits: Digits, count: int, seed: int, counts: Counts) -> NDArray[np.bool_]:
    """Return which lines of 3 to 8 digits are read without a mistake (count,), and add them to `counts`."""
    right = []
    for text, image in number_lines(digits, count, seed):
        reading, look = reader.read_and_look(image)
        counts.add_reading(reading, look, image.width * image.height)
        right.append(reading.text == text)
    return np.array(right, bool)
