"""A model's answers to pictures drawn with a split's digits: canvases, lines and papers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.reader import Reader
from pipeline.evaluation.metrics import RedrawnAnswers, read_lines, read_redrawn
from pipeline.evaluation.papers import PaperAnswers, read_papers
from pipeline.mnist.dataset import Digits
from traffic.counts import Counts


class Amounts(NamedTuple):
    """The numbers of canvases, lines and papers to draw."""

    canvases: int
    lines: int
    papers: int

    @property
    def seconds(self) -> float:
        """The estimated time to draw and read them on one core."""
        return 0.005 * self.canvases + 0.01 * self.lines + 0.2 * self.papers


class Task(NamedTuple):
    """The arguments of `read_drawn`: folders of model and data, the split, the amounts, and the seed."""

    model: Path
    data: Path
    split: str
    amounts: Amounts
    seed: int


class DrawnAnswers(NamedTuple):
    """A model's answers; `lines` (n,) says which lines were read without a mistake.

    `counts` has the drift features of canvases and lines.
    """

    redrawn: RedrawnAnswers
    lines: NDArray[np.bool_]
    papers: PaperAnswers
    counts: Counts

    @property
    def line_accuracy(self) -> float:
        return float(self.lines.mean())


def read_drawn(task: Task) -> DrawnAnswers:
    """Draw the pictures and read them; raises `ModelError` or `DataError` if model or data is unusable."""
    reader, digits = Reader.load(task.model), Digits.load(task.data, task.split)
    amounts, seed, counts = task.amounts, task.seed, Counts()
    return DrawnAnswers(
        read_redrawn(reader, digits, amounts.canvases, seed, counts),
        read_lines(reader, digits, amounts.lines, seed, counts),
        read_papers(reader, digits, amounts.papers, seed),
        counts,
    )
