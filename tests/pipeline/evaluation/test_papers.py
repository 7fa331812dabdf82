from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from digits.results import Number
from pipeline.evaluation.papers import Outcome, Score, edits, read_papers, readings
from pipeline.mnist.dataset import Digits

DIGITS = Digits(np.full((20, 28, 28), 200, np.uint8), np.arange(20, dtype=np.uint8) % 10)


@pytest.mark.parametrize(
    ("said", "truth", "count"),
    [("", "", 0), ("", "123", 3), ("123", "", 3), ("123", "123", 0), ("13", "123", 1), ("923", "123", 1)],
)
def test_edits(said: str, truth: str, count: int) -> None:
    assert edits(said, truth) == count == edits(truth, said)


@pytest.mark.parametrize(
    ("truth", "said", "right", "wrong"),
    [
        ("12 3\n4", "12 3\n4", True, 0),
        ("12 3\n4", "123\n4", False, 0),  # spaces do not count as characters, but must be right
        ("12 3\n4", "12 8\n", False, 2),
        ("1 ? 3", "1 ? 3", True, 0),
        ("1 ? 3", "1 3", True, 0),  # a crossed out number may be left out
        ("1\n?", "1", True, 0),
        ("1 ? 3", "1 77 3", False, 2),
        ("-", "?", True, 0),
        ("", "11", False, 2),
    ],
)
def test_outcomes_are_counted_by_hand(truth: str, said: str, right: bool, wrong: int) -> None:
    outcome = Outcome(truth, said, 1.0)
    assert (outcome.right, outcome.wrong) == (right, wrong)


def test_scores_weigh_pictures_and_characters() -> None:
    score = Score.of([Outcome("1234", "1234", 1), Outcome("12", "15", 2), Outcome("", "", 9)])
    assert (score.pictures, score.milliseconds) == (3, 2)
    assert score.right == pytest.approx(2 / 3)
    assert score.wrong == pytest.approx(1 / 7)
    assert Score.of([Outcome("1", "8888", 1)]).accuracy == 0
    with pytest.raises(ValueError, match="no picture"):
        Score.of([])


def test_readings_of_what_has_no_alternative() -> None:
    assert readings("12") == ("12",)


def test_a_reader_that_says_nothing_has_all_characters_wrong() -> None:
    reader: Any = SimpleNamespace(read=lambda _: SimpleNamespace(text="", numbers=()))
    score = read_papers(reader, DIGITS, 13, seed=1).score
    assert (score.pictures, score.right, score.accuracy) == (13, 0, 0)


def test_numbers_are_compared_where_none_is_missed() -> None:
    """A reader that finds one number on each paper, always the same, with high confidence."""
    number = Number("7", 0.75, (0, 0, 1, 1), (0,), None, None)
    reader: Any = SimpleNamespace(read=lambda _: SimpleNamespace(text="7", numbers=(number,)))
    answers = read_papers(reader, DIGITS, 26, seed=1)
    assert 0 < len(answers.right) < 26  # papers of one number: boxes, combs, cells, amounts
    assert answers.confidence.tolist() == [0.75] * len(answers.right)
    assert answers.calibration_error == pytest.approx(abs(0.75 - answers.right.mean()))
