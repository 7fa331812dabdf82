"""How a model reads what the project draws with a split's digits: on canvases, in lines and on papers."""

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
    """How many canvases, lines and papers are drawn."""

    canvases: int
    lines: int
    papers: int

    @property
    def seconds(self) -> float:
        """About how long it takes to draw and read them on one core."""
        return 0.005 * self.canvases + 0.01 * self.lines + 0.2 * self.papers


class Task(NamedTuple):
    """A model's folder, the folder of the data and which split of it, how much is drawn, and the seed."""

    model: Path
    data: Path
    split: str
    amounts: Amounts
    seed: int


class DrawnAnswers(NamedTuple):
    """What a model says of it; `lines` (n,) are those that were read right as a whole.

    `counts` are what canvases and lines look like, and how they were read.
    """

    redrawn: RedrawnAnswers
    lines: NDArray[np.bool_]
    papers: PaperAnswers
    counts: Counts

    @property
    def line_accuracy(self) -> float:
        return float(self.lines.mean())


def read_drawn(task: Task) -> DrawnAnswers:
    """Draw and read; raises `ModelError` for a model that cannot be served, `DataError` without the data."""
    reader, digits = Reader.load(task.model), Digits.load(task.data, task.split)
    amounts, seed, counts = task.amounts, task.seed, Counts()
    return DrawnAnswers(
        read_redrawn(reader, digits, amounts.canvases, seed, counts),
        read_lines(reader, digits, amounts.lines, seed, counts),
        read_papers(reader, digits, amounts.papers, seed),
        counts,
    )
