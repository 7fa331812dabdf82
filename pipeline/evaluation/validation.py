"""What a model says of the validation pictures: the figures that are reported, and what the gate compares."""

# Why it is so: docs/decisions/feedback-gate.md
from __future__ import annotations

from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES
from digits.network.model import Manifest
from digits.reader import Reader
from pipeline.evaluation.drawn import DrawnAnswers
from pipeline.evaluation.gate import ACCEPTED, ValidationAnswers
from pipeline.evaluation.intervals import Interval, of_share, resampled
from pipeline.evaluation.metrics import Answers, answers, auroc
from pipeline.evaluation.paired import Confidences, Scored
from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import Digits, data_sha256, load_drawn
from pipeline.synthesis.redrawn import redrawn

_SEED = 1  # of the intervals


class ValidationData(NamedTuple):
    """What every model is judged on: the validation digits, and what was drawn with and beside them.

    `redrawn` are the first of them with other pens, in their order; `accepted` is what is held back of
    people's feedback; `hashes` are those of the digits and of all splits together.
    """

    plain: Digits
    redrawn: Digits
    prototypes: Digits
    spoilt: Digits
    negatives: Digits
    accepted: Accepted
    hashes: tuple[str, str]

    @classmethod
    def load(cls, data: Path, count: int, seed: int) -> ValidationData:
        """Read them, and redraw `count` digits; raises `DataError` where a file is missing or damaged."""
        plain = Digits.load(data, "validation")
        spoilt = load_drawn(data, "validation", "spoilt")
        # One at a time: so each is drawn with the digit at its own place.
        places = range(min(count, plain.total))
        images = [redrawn(plain.take(np.array([place])), 1, [seed, place]).images for place in places]
        return cls(
            plain,
            Digits(np.concatenate(images), plain.labels[: len(places)]),
            load_drawn(data, "validation", "prototypes"),
            spoilt.take(np.flatnonzero(spoilt.labels < CLASSES)),
            load_drawn(data, "validation", "negatives"),
            Accepted.load(data, "validation"),
            (plain.sha256(), data_sha256(data)),
        )

    def was_kept_from(self, manifest: Manifest) -> bool:
        """Whether a model's training did not see these validation digits.

        Manifests of before say which data they were trained on, and not which digits were kept out of it.
        """
        own = (manifest.validation_sha256, manifest.data_sha256)
        return own[0] == self.hashes[0] if own[0] else own[1] == self.hashes[1]


class AcceptedAnswers(NamedTuple):
    """What a reader says of accepted feedback: of each group of near-duplicates (n,) the share read right."""

    groups: NDArray[np.str_]
    right: NDArray[np.float64]

    @classmethod
    def of(cls, reader: Reader, accepted: Accepted) -> AcceptedAnswers | None:
        """A mark that is no digit has to be rejected; None where there is nothing of feedback."""
        if not accepted.digits.total:
            return None
        told = answers(reader.model, accepted.digits)
        right = np.where(told.truth < CLASSES, told.right & ~told.rejected, told.rejected)
        groups, group = np.unique(accepted.groups, return_inverse=True)
        return cls(groups, np.bincount(group, right) / np.bincount(group))

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def interval(self) -> Interval:
        return resampled(lambda some: float(self.right[some].mean()), len(self.right), _SEED)

    def scored(self, without: Set[str]) -> Scored | None:
        """The groups but for those `without`; None where no other is left."""
        right = self.right[~np.isin(self.groups, sorted(without))]
        return Scored(right, np.ones(len(right)), np.arange(len(right))) if len(right) else None


class OnValidation(NamedTuple):
    """What a model says of the validation pictures."""

    plain: Answers
    redrawn: Answers
    prototypes: Answers
    spoilt: Answers
    negatives: Answers
    accepted: AcceptedAnswers | None
    drawn: DrawnAnswers

    @classmethod
    def of(cls, reader: Reader, data: ValidationData, drawn: DrawnAnswers) -> OnValidation:
        """Classify the digits of `data`; `drawn` is what the same reader said of what was drawn with them."""
        return cls(
            answers(reader.model, data.plain),
            answers(reader.model, data.redrawn),
            answers(reader.model, data.prototypes),
            answers(reader.model, data.spoilt),
            answers(reader.model, data.negatives),
            AcceptedAnswers.of(reader, data.accepted),
            drawn,
        )

    def figures(self) -> dict[str, float]:
        """Those of `reports/metrics.json`."""
        return {
            "validation_accuracy": float(self.plain.right.mean()),
            "validation_canvas_accuracy": self.drawn.redrawn.accuracy,
            "validation_prototype_accuracy": float(self.prototypes.right.mean()),
            "validation_spoilt_accuracy": float(self.spoilt.right.mean()),
            "validation_line_accuracy": self.drawn.line_accuracy,
            "validation_paper_accuracy": self.drawn.papers.score.accuracy,
            "validation_reject_auroc": auroc(self.plain.scores, self.negatives.scores),
            **({} if self.accepted is None else {"validation_accepted_accuracy": self.accepted.accuracy}),
        }

    def intervals(self) -> dict[str, Interval]:
        """The 95 % intervals of those that are shares of pictures."""
        return {
            "validation_accuracy": of_share(self.plain.right),
            "validation_canvas_accuracy": of_share(self.drawn.redrawn.right),
            "validation_prototype_accuracy": of_share(self.prototypes.right),
            "validation_spoilt_accuracy": of_share(self.spoilt.right),
            "validation_line_accuracy": of_share(self.drawn.lines),
            **({} if self.accepted is None else {"validation_accepted_accuracy": self.accepted.interval}),
        }

    def for_gate(self, learnt: Set[str] = frozenset()) -> ValidationAnswers:
        """What the gate compares, picture by picture.

        Groups of feedback that the rival has `learnt` are left out, of both models.
        """
        papers = self.drawn.papers
        kept = Scored(
            np.concatenate([~self.plain.rejected, self.negatives.rejected]).astype(np.float64),
            np.concatenate([_share(len(self.plain.truth)), _share(len(self.negatives.truth))]),
            np.concatenate([np.arange(len(self.plain.truth)), -1 - np.arange(len(self.negatives.truth))]),
        )
        scored = {
            "plain": _of_digits(self.plain.right),
            "redrawn": _of_digits(self.redrawn.right),
            "prototypes": _alone(self.prototypes.right),
            "papers": Scored(
                1 - papers.wrong / papers.characters, papers.characters, -1 - np.arange(len(papers.outcomes))
            ),
            "canvas": _of_digits(self.drawn.redrawn.right),
            "lines": _alone(self.drawn.lines),
            "rejects": kept,
        }
        accepted = self.accepted and self.accepted.scored(learnt)
        if accepted:
            scored[ACCEPTED] = accepted
        return ValidationAnswers(scored, Confidences(self.plain.confidence, self.plain.right))


def _share(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / max(count, 1))


def _of_digits(right: NDArray[np.bool_]) -> Scored:
    """Pictures (n,) of the split's first n digits, one of each."""
    return Scored(right.astype(np.float64), np.ones(len(right)), np.arange(len(right)))


def _alone(right: NDArray[np.bool_]) -> Scored:
    """Pictures (n,) that share no digit with others, or too many to say which."""
    return Scored(right.astype(np.float64), np.ones(len(right)), -1 - np.arange(len(right)))
