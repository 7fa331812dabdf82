"""How well papers are read: pictures that are wholly right, and characters that are wrong."""

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
"""Whatever says what stands on a picture."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one picture, and how it compares: `characters` are those that stand there."""

    truth: str
    said: str
    milliseconds: float

    @property
    def right(self) -> bool:
        """Word for word and line for line."""
        return self.said in readings(self.truth)

    @property
    def wrong(self) -> int:
        """Characters to put right, spaces and line ends aside."""
        return min(edits(_bare(self.said), _bare(meant)) for meant in readings(self.truth))

    @property
    def characters(self) -> int:
        """Those of the truth; 1 where nothing stands there, so that what is read all the same counts."""
        return max(1, len(_bare(self.truth)))


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of some pictures: `right` and `wrong` are shares, of pictures and of characters."""

    pictures: int
    right: float
    wrong: float
    milliseconds: float  # the median

    @property
    def accuracy(self) -> float:
        """The share of characters that need no change, at least 0: much finer than that of right pictures."""
        return max(0.0, 1.0 - self.wrong)

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> Score:
        """Raises `ValueError` for no outcome at all."""
        if not outcomes:
            raise ValueError("There is no picture to score.")
        return cls(
            len(outcomes),
            sum(one.right for one in outcomes) / len(outcomes),
            sum(one.wrong for one in outcomes) / sum(one.characters for one in outcomes),
            median(one.milliseconds for one in outcomes),
        )


def ask_all(ask: Ask, pictures: Iterable[tuple[str, Image.Image]]) -> list[Outcome]:
    """What is said of each picture, with the processor time that it took."""
    outcomes = []
    for truth, picture in pictures:
        started = time.thread_time()
        said = ask(picture)
        outcomes.append(Outcome(truth, said, 1000 * (time.thread_time() - started)))
    return outcomes


@dataclass(frozen=True, slots=True)
class PaperAnswers:
    """How each paper is read, and how sure the reader was of the numbers on them.

    `confidence` and `right` (n,) are those of the numbers on papers of which none was missed or invented.
    """

    outcomes: list[Outcome]
    confidence: NDArray[np.float32]
    right: NDArray[np.bool_]

    @property
    def score(self) -> Score:
        return Score.of(self.outcomes)

    @property
    def wrong(self) -> NDArray[np.float64]:
        """Characters to put right on each paper (n,)."""
        return np.array([outcome.wrong for outcome in self.outcomes], np.float64)

    @property
    def characters(self) -> NDArray[np.float64]:
        """Characters that stand on each paper (n,)."""
        return np.array([outcome.characters for outcome in self.outcomes], np.float64)

    @property
    def calibration_error(self) -> float:
        """How far the confidence of numbers and the share right are apart, 0..1."""
        return expected_calibration_error(self.confidence, self.right)


def read_papers(reader: Reader, digits: Digits, count: int, seed: int) -> PaperAnswers:
    """Papers of all kinds by turns, half of them photographed, written with these digits."""
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
    """What is right to say: of a `?`, a mark that is no digit, also nothing; of a lone "-", also `?`."""
    if truth == "-":
        return ("-", "?")
    if "?" not in truth:
        return (truth,)
    lines = [[word for word in line.split(" ") if word != "?"] for line in truth.split("\n")]
    return truth, "\n".join(" ".join(words) for words in lines if words)


def edits(said: str, truth: str) -> int:
    """How many characters have to be put in, taken out or changed."""
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
