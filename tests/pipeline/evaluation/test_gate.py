"""The gate on simulated answers of known quality: how often luck promotes a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from pipeline.evaluation import paired
from pipeline.evaluation.gate import (
    ACCEPTED,
    PRIMARY,
    Decision,
    Rule,
    ValidationAnswers,
    against_champion,
    against_default,
    table,
)
from pipeline.evaluation.paired import Confidences, Scored, interval, p_greater, p_less

RULE = Rule(
    primary={"plain": 0.4, "redrawn": 0.3, "prototypes": 0.1, "papers": 0.2},
    guards={"canvas": 0.0, "lines": 0.0, "papers": 0.0, "rejects": 0.0, "calibration": 0.0},
    level=0.05,
    floors={"plain": 0.9, "canvas": 0.9},
    tolerance=0.0,
)
SIZES = {"plain": 2000, "redrawn": 1000, "prototypes": 1000, "canvas": 1000, "lines": 300, "rejects": 2000}
OF_DIGITS = ("plain", "redrawn", "canvas", "rejects")


def _answers(rng: np.random.Generator, share_right: Mapping[str, float] | float = 0.97) -> ValidationAnswers:
    """Simulate the answers of a model that reads `share_right` of the pictures of each kind correctly.

    The same pictures are hard for all models, and each model reads some of them correctly by luck.
    """
    shares = (
        share_right if isinstance(share_right, Mapping) else dict.fromkeys((*SIZES, "papers"), share_right)
    )
    scored = {}
    for name, count in SIZES.items():
        right = _right(count, shares[name], rng)
        places = np.arange(count)
        source = places if name in OF_DIGITS else -1 - places
        scored[name] = Scored(right.astype(float), np.ones(count), source)
    characters = np.full(39, 30.0)
    wrong = rng.binomial(30, 1 - shares["papers"], 39)
    scored["papers"] = Scored(1 - wrong / characters, characters, -1 - np.arange(39))
    right = scored["plain"].score > 0
    confidence = np.where(right, rng.beta(60, 1, len(right)), rng.beta(3, 3, len(right)))
    return ValidationAnswers(scored, Confidences(confidence.astype(np.float32), right))


def _right(count: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A tenth of the pictures are hard and read by luck; the others are always read correctly."""
    hard = np.arange(count) % 10 == 0
    return np.asarray(~hard | (rng.random(count) < 1 - 10 * (1 - share)), bool)


PAIRS = [60, pytest.param(200, marks=pytest.mark.heavy)]


@pytest.mark.parametrize("pairs", PAIRS)
def test_of_pairs_of_equally_good_models_no_more_are_promoted_than_the_level_says(
    monkeypatch: pytest.MonkeyPatch, pairs: int
) -> None:
    monkeypatch.setattr(paired, "_RESAMPLES", 999)
    rng = np.random.default_rng(5)
    promoted = better = 0
    for number in range(pairs):
        decision = against_champion(_answers(rng), _answers(rng), RULE, "version 1", seed=number)
        better += decision.rows[0].verdict == "better"
        promoted += decision.promoted
    assert binomtest(better, pairs, RULE.level).pvalue > 0.01, better
    assert promoted <= better


def test_a_model_that_is_better_at_everything_is_promoted() -> None:
    rng = np.random.default_rng(1)
    decision = against_champion(_answers(rng, 0.985), _answers(rng, 0.95), RULE, "version 1", seed=1)
    assert decision.promoted
    assert (decision.rows[0].name, decision.rows[0].verdict) == (PRIMARY, "better")
    assert decision.smallest_shown is not None
    assert 0 < decision.smallest_shown < 0.02


def test_a_model_that_is_better_on_mnist_and_worse_on_canvases_is_not_promoted() -> None:
    rng = np.random.default_rng(2)
    shares = dict.fromkeys((*SIZES, "papers"), 0.97)
    better = shares | {"plain": 0.998, "redrawn": 0.99, "canvas": 0.94}
    decision = against_champion(_answers(rng, better), _answers(rng, shares), RULE, "version 1", seed=1)
    assert decision.rows[0].verdict == "better"
    assert not decision.promoted
    assert decision.sentence == "it is significantly worse than version 1 on canvas"


def test_worse_calibration_is_a_guard() -> None:
    rng = np.random.default_rng(3)
    champion, candidate = _answers(rng, 0.95), _answers(rng, 0.985)
    told = candidate.calibration
    unsure = ValidationAnswers(candidate.scored, told._replace(confidence=told.confidence * np.float32(0.8)))
    decision = against_champion(unsure, champion, RULE, "version 1", seed=1)
    assert not decision.promoted
    assert "calibration" in decision.sentence


def test_a_guard_that_is_worse_within_its_tolerance_holds() -> None:
    rng = np.random.default_rng(2)
    shares = dict.fromkeys((*SIZES, "papers"), 0.97)
    better = shares | {"plain": 0.998, "redrawn": 0.99, "canvas": 0.94}
    lenient = replace(RULE, guards={**RULE.guards, "canvas": 0.1})
    decision = against_champion(_answers(rng, better), _answers(rng, shares), lenient, "version 1", seed=1)
    assert decision.promoted


def test_a_tie_keeps_the_champion_and_replaces_the_default_model() -> None:
    answers = _answers(np.random.default_rng(4))
    assert not against_champion(answers, answers, RULE, "version 1", seed=1).promoted
    assert against_default(answers, answers, RULE, seed=1).promoted


def test_a_first_champion_reaches_the_floors() -> None:
    rng = np.random.default_rng(6)
    poor = _answers(rng, dict.fromkeys((*SIZES, "papers"), 0.97) | {"canvas": 0.901})
    strict = replace(RULE, floors={"canvas": 0.95})
    decision = against_default(poor, None, strict, seed=1)
    assert not decision.promoted
    assert "the floor of canvas" in decision.sentence
    assert against_default(poor, None, RULE, seed=1).promoted


def test_a_first_champion_is_not_significantly_worse_than_the_default_model() -> None:
    rng = np.random.default_rng(7)
    decision = against_default(_answers(rng, 0.95), _answers(rng, 0.985), RULE, seed=1)
    assert not decision.promoted
    assert decision.rows[0].verdict == "worse"
    lenient = replace(RULE, tolerance=0.1, guards={})
    rng = np.random.default_rng(7)
    assert against_default(_answers(rng, 0.95), _answers(rng, 0.985), lenient, seed=1).promoted


def test_a_champion_that_may_have_seen_the_pictures_is_not_compared_and_stays() -> None:
    decision = against_champion(_answers(np.random.default_rng(8)), None, RULE, "version 1", seed=1)
    assert not decision.promoted
    assert "not compared" in decision.sentence
    assert {row.verdict for row in decision.rows} == {"not compared"}


def test_pictures_of_one_digit_count_once() -> None:
    """Ten copies of one picture are not more evidence than one."""
    once = np.array([1.0] * 3)
    assert p_greater(once, seed=1)[0] == pytest.approx(1 / 8)
    candidate = Scored(np.ones(30), np.ones(30), np.repeat(np.arange(3), 10))
    champion = candidate._replace(score=np.zeros(30))
    scored = {"plain": candidate}, {"plain": champion}
    rule = Rule({"plain": 1.0}, {}, 0.05, {}, 0.0)
    sure = Confidences(np.ones(1, np.float32), np.ones(1, bool))
    own, other = (ValidationAnswers(some, sure) for some in scored)
    assert against_champion(own, other, rule, "version 1", seed=1).rows[0].p == pytest.approx(1 / 8)


def test_p_less_is_p_greater_the_other_way_round() -> None:
    parts = np.array([0.3, -0.1, 0.2, 0.4, -0.05])
    assert p_less(-parts, seed=1) == p_greater(parts, seed=1)[0]
    assert p_less(np.zeros(0), seed=1) == 1.0


def test_a_single_difference_says_nothing() -> None:
    assert p_greater(np.array([0.2]), seed=1)[0] == pytest.approx(1 / 2)
    assert p_less(np.array([0.2]), seed=1) == 1.0


def test_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    covered = 0
    for number in range(200):
        parts = rng.choice([-1, 0, 1], 400, p=[0.02, 0.93, 0.05]) / 400
        low, high = interval(parts[parts != 0], seed=number)
        covered += low <= 0.03 <= high
    assert 180 <= covered <= 199


def _with_feedback(answers: ValidationAnswers, right: NDArray[np.float64]) -> ValidationAnswers:
    """The same model with these answers to the validation feedback."""
    feedback = Scored(right, np.ones(len(right)), np.arange(len(right)))
    return ValidationAnswers({**answers.scored, ACCEPTED: feedback}, answers.calibration)


def _decided(
    own: NDArray[np.float64], other: NDArray[np.float64], before: float = 0.97, after: float = 0.97
) -> Decision:
    rng = np.random.default_rng(4)
    champion = _answers(rng, before)
    candidate = champion if after == before else _answers(rng, after)
    return against_champion(
        _with_feedback(candidate, own), _with_feedback(champion, other), RULE, "version 1", seed=1
    )


def test_a_model_that_has_learnt_from_feedback_is_promoted_for_that() -> None:
    decision = _decided(np.ones(6), np.zeros(6))
    assert decision.promoted
    assert [(row.name, row.verdict) for row in decision.rows[:2]] == [
        (PRIMARY, "not better"),
        (ACCEPTED, "better"),
    ]
    assert decision.sentence == (
        "it is significantly better than version 1 on accepted feedback, and not worse on any guard"
    )


def _churning(share: float, count: int) -> Decision:
    """Decide on a candidate that reads `share` of the champion's mistakes correctly, also in feedback.

    People have sent `count` pictures that the champion misreads.
    """
    champion = _answers(np.random.default_rng(4))
    scored = dict(champion.scored)
    for name in ("plain", "redrawn", "prototypes"):
        score = champion.scored[name].score
        wrong = np.flatnonzero(score == 0)
        changed = score.copy()
        changed[wrong[: round(share * len(wrong))]] = 1.0
        right = np.flatnonzero(score == 1)
        changed[right[: round(share * len(wrong))]] = 0.0  # and misreads as many others
        scored[name] = champion.scored[name]._replace(score=changed)
    candidate = ValidationAnswers(scored, champion.calibration)
    gained = np.zeros(count)
    gained[: round(share * count)] = 1.0
    own, other = _with_feedback(candidate, gained), _with_feedback(champion, np.zeros(count))
    return against_champion(own, other, RULE, "version 1", seed=1)


def test_reading_what_people_sent_by_being_another_training_is_no_win() -> None:
    """People send what the champion misreads, so any other model gains some of it and loses nothing."""
    decision = _churning(0.3, 60)
    assert decision.rows[1].name == ACCEPTED
    assert decision.rows[1].candidate == 0.3
    assert decision.rows[1].verdict == "not better"
    assert not decision.promoted


def test_five_pictures_of_feedback_are_too_few_to_show_anything() -> None:
    """By luck, one model is better on all five with probability 1/32, which is more than half of 0.05."""
    decision = _decided(np.ones(5), np.zeros(5))
    assert not decision.promoted
    assert decision.sentence == "it is not significantly better than version 1"
    answers = _answers(np.random.default_rng(4)), _answers(np.random.default_rng(4), 0.975)
    whole = against_champion(answers[1], answers[0], RULE, "version 1", seed=1)
    few = [_with_feedback(one, np.zeros(5)) for one in answers]
    decision = against_champion(few[1], few[0], RULE, "version 1", seed=1)
    assert decision.rows[0] == whole.rows[0]
    assert decision.smallest_shown == whole.smallest_shown, "the primary keeps the whole level"


def test_a_model_that_forgets_feedback_is_not_promoted_for_mnist() -> None:
    decision = _decided(np.zeros(6), np.ones(6), before=0.95, after=0.985)
    assert decision.rows[0].verdict == "better"
    assert not decision.promoted
    assert decision.sentence == "it is significantly worse than version 1 on accepted feedback"


def test_a_model_that_is_worse_on_mnist_is_not_promoted_for_feedback() -> None:
    rng = np.random.default_rng(4)
    champion, candidate = _answers(rng, 0.985), _answers(rng, 0.95)
    own, other = _with_feedback(candidate, np.ones(9)), _with_feedback(champion, np.zeros(9))
    decision = against_champion(own, other, replace(RULE, guards={}), "version 1", seed=1)
    assert [row.verdict for row in decision.rows[:2]] == ["worse", "better"]
    assert not decision.promoted
    assert decision.sentence == "it is significantly worse than version 1 on primary"


@pytest.mark.parametrize("pairs", PAIRS)
def test_either_test_has_half_of_the_level(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    monkeypatch.setattr(paired, "_RESAMPLES", 999)
    rng = np.random.default_rng(11)
    promoted = 0
    for number in range(pairs):
        own, other = ((rng.random(40) < 0.5).astype(float) for _ in range(2))
        candidate, champion = _with_feedback(_answers(rng), own), _with_feedback(_answers(rng), other)
        found = against_champion(candidate, champion, replace(RULE, guards={}), "version 1", seed=number)
        promoted += found.promoted
    assert promoted > 0
    assert binomtest(promoted, pairs, RULE.level, alternative="greater").pvalue > 0.01, promoted


def test_a_first_champion_is_not_worse_than_the_default_model_on_feedback() -> None:
    answers = _answers(np.random.default_rng(4))
    own, other = _with_feedback(answers, np.zeros(9)), _with_feedback(answers, np.ones(9))
    decision = against_default(own, other, RULE, seed=1)
    assert not decision.promoted
    assert decision.sentence == "it is significantly worse than the default model on accepted feedback"
    assert against_default(other, own, RULE, seed=1).promoted


def test_table_has_a_line_for_each_row() -> None:
    answers = _answers(np.random.default_rng(4))
    decision = against_champion(answers, answers, RULE, "version 1", seed=1)
    lines = table(decision.rows).splitlines()
    assert len(lines) == 2 + len(decision.rows) == 2 + 1 + len(RULE.primary) + len(RULE.guards)
    assert lines[2].startswith("| primary | ")
