"""Accuracy of reading papers: pictures without a mistake, and wrong characters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.reader import Reader
from digits.results import Number
from pipeline.evaluation.metrics import expected_calibration_error
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.papers import KINDS, make
from pipeline.synthesis.writers import MnistWriter, habits_of

Ask = Callable[[Image.Image], str]
"""A function that returns the text of a picture."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The true text of one picture, the text that was read, and the processor time."""

    truth: str
    said: str
    milliseconds: float

    @property
    def right(self) -> bool:
        """Whether all words and lines are correct."""
        return self.said in readings(self.truth)

    @property
    def wrong(self) -> int:
        """The number of character edits that correct the text, ignoring white space."""
        return min(edits(_bare(self.said), _bare(meant)) for meant in readings(self.truth))

    @property
    def characters(self) -> int:
        """The number of true characters, at least 1, so that text read on an empty picture is an error."""
        return max(1, len(_bare(self.truth)))


@dataclass(frozen=True, slots=True)
class Score:
    """The metrics of some pictures: the shares of `right` pictures and of `wrong` characters."""

    pictures: int
    right: float
    wrong: float
    milliseconds: float  # the median

    @property
    def accuracy(self) -> float:
        """1 minus the share of wrong characters, at least 0; less noisy than the share of right pictures."""
        return max(0.0, 1.0 - self.wrong)

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> Score:
        """Compute the metrics; raises `ValueError` if there are no outcomes."""
        if not outcomes:
            raise ValueError("There are no pictures to score.")
        return cls(
            len(outcomes),
            sum(one.right for one in outcomes) / len(outcomes),
            sum(one.wrong for one in outcomes) / sum(one.characters for one in outcomes),
            median(one.milliseconds for one in outcomes),
        )


def ask_all(ask: Ask, pictures: Iterable[tuple[str, Image.Image]]) -> list[Outcome]:
    """Read each picture, and measure the processor time."""
    outcomes = []
    for truth, picture in pictures:
        started = time.thread_time()
        said = ask(picture)
        outcomes.append(Outcome(truth, said, 1000 * (time.thread_time() - started)))
    return outcomes


@dataclass(frozen=True, slots=True)
class PaperAnswers:
    """The outcome of each paper, and the confidence of the numbers.

    `confidence` and `right` (n,) cover the numbers on papers on which the correct count of numbers was read.
    """

    outcomes: list[Outcome]
    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def score(self) -> Score:
        return Score.of(self.outcomes)

    @property
    def wrong(self) -> NDArray[np.float64]:
        """The number of wrong characters on each paper (n,)."""
        return np.array([outcome.wrong for outcome in self.outcomes], np.float64)

    @property
    def characters(self) -> NDArray[np.float64]:
        """The number of characters on each paper (n,)."""
        return np.array([outcome.characters for outcome in self.outcomes], np.float64)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of the numbers, 0..1."""
        return expected_calibration_error(self.confidence, self.right)


def read_papers(reader: Reader, digits: Digits, count: int, seed: int) -> PaperAnswers:
    """Draw and read `count` papers of all kinds in turn, half of them photographed, with these digits."""
    habits = habits_of(digits)
    numbers: list[tuple[Number, ...]] = []

    def papers() -> Iterable[tuple[str, Image.Image]]:
        for number in range(count):
            rng = np.random.default_rng([seed, number])
            photo = (number + number // len(KINDS)) % 2 == 1
            yield make(KINDS[number % len(KINDS)], MnistWriter(digits, habits, rng), rng, photo=photo)

    def ask(picture: Image.Image) -> str:
        reading = reader.read(picture)
        numbers.append(reading.numbers)
        return reading.text

    outcomes = ask_all(ask, papers())
    compared = [
        (number.confidence, number.text == truth)
        for outcome, found in zip(outcomes, numbers, strict=True)
        if len(found) == len(outcome.truth.split())
        for number, truth in zip(found, outcome.truth.split(), strict=True)
        if number.confidence is not None
    ]
    return PaperAnswers(
        outcomes,
        np.array([sure for sure, _ in compared], np.float32),
        np.array([right for _, right in compared], bool),
    )


def readings(truth: str) -> tuple[str, ...]:
    """Return the texts that count as right: a `?` may also be left out, and a lone "-" may also be `?`."""
    if truth == "-":
        return ("-", "?")
    if "?" not in truth:
        return (truth,)
    lines = [[word for word in line.split(" ") if word != "?"] for line in truth.split("\n")]
    return truth, "\n".join(" ".join(words) for words in lines if words)


def edits(said: str, truth: str) -> int:
    """Return the edit distance (Levenshtein) of two texts."""
    row = list(range(len(truth) + 1))
    for at, ours in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, theirs in enumerate(truth, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (ours != theirs)),
            )
    return row[-1]


def _bare(text: str) -> str:
    return "".join(text.split())
