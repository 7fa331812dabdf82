"""The promotion gate: paired tests decide whether a candidate replaces the champion.

Both models read the same validation pictures. The candidate must be significantly better on the primary, a
weighted mean of accuracies. It is refused if it is worse on a guard both significantly and by more than that
guard's tolerance. If the champion misreads enough of the accepted feedback in the validation data, a
candidate can also win on that. Each of the two tests then uses half of the significance level. With any such
feedback, the candidate is also refused if it is significantly worse on the primary or on the feedback.
"""

# See docs/decisions/promotion.md.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.paired import (
    Confidences,
    Scored,
    by_source,
    churn,
    differences,
    interval,
    p_by_churn,
    p_greater,
    p_less,
    p_worse_calibrated,
)

Verdict = Literal["better", "not better", "no worse", "worse", "part", "held", "missed", "not compared"]

PRIMARY = "primary"
CALIBRATION = "calibration"
ACCEPTED = "accepted feedback"
ORDINARY = ("plain", "redrawn", "prototypes")  # digits chosen without regard to any mistakes of a model


@dataclass(frozen=True, slots=True)
class ValidationAnswers:
    """A model's results that the gate compares. All models have the same pictures in the same order."""

    scored: Mapping[str, Scored]
    calibration: Confidences

    def value(self, name: str) -> float:
        """Return the mean score of a set of pictures, or the calibration error, by its name."""
        return self.calibration.error if name == CALIBRATION else self.scored[name].mean


@dataclass(frozen=True, slots=True)
class Rule:
    """The section `promote` of params.yaml.

    `primary`: the weight of each stratum. `guards`: how much worse each guard may be.
    `level`: the significance level of each test. `floors`: the minimum scores of a first champion.
    `tolerance`: how far a first champion's primary may be significantly below the default model's.
    """

    primary: Mapping[str, float]
    guards: Mapping[str, float]
    level: float
    floors: Mapping[str, float]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the decision's table.

    `difference` is the candidate's value minus the rival's, and `low` and `high` are its 95 % interval. `p`
    is the one-sided p-value of an improvement. For a guard, and for the primary of a first champion, it is
    the p-value of a deterioration. Values that were not computed are None.
    """

    name: str
    candidate: float
    rival: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the candidate is promoted and why; `rival` names the model that it was compared with.

    `smallest_shown` is the smallest improvement of the primary that would have been significant.
    """

    promoted: bool
    sentence: str
    rival: str | None
    rows: tuple[Row, ...]
    smallest_shown: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `reports/promotion.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a decision from `as_dict`; raises `TypeError` or `KeyError` for anything else."""
        return cls(**{**values, "rows": tuple(Row(**row) for row in values["rows"])})


def against_champion(
    candidate: ValidationAnswers, champion: ValidationAnswers | None, rule: Rule, name: str, seed: int
) -> Decision:
    """Decide whether the candidate replaces the champion `name`; a tie keeps the champion.

    `champion` is None if its training may have seen the current validation pictures. The champion then stays
    until a person decides otherwise.
    """
    if champion is None:
        rows = tuple(_alone(candidate, rule))
        sentence = (
            f"{name} was trained on another split and may have seen these validation pictures, so the two "
            "are not compared"
        )
        return Decision(False, sentence, name, rows, None)
    found, smallest = _compared(candidate, champion, rule, seed)
    rows = tuple(found)
    worse, better = _names(rows, "worse"), _names(rows, "better")
    if worse:
        sentence = f"it is significantly worse than {name} on {worse}"
    elif better:
        on = "" if better == PRIMARY else f" on {better}"
        sentence = f"it is significantly better than {name}{on}, and not worse on any guard"
    else:
        sentence = f"it is not significantly better than {name}"
    return Decision(bool(better) and not worse, sentence, name, rows, smallest)


def against_default(
    candidate: ValidationAnswers, default: ValidationAnswers | None, rule: Rule, seed: int
) -> Decision:
    """Decide whether the candidate becomes the first champion.

    It must reach the floors and may not be significantly worse than the default model; a tie goes to the
    candidate. `default` is None if it cannot be compared, and then only the floors decide.
    """
    floors = [_floor(name, candidate.value(name), floor) for name, floor in rule.floors.items()]
    missed = _names(floors, "missed")
    rows, smallest = (list[Row](), None)
    if default is not None:
        found, smallest = _compared(candidate, default, rule, seed)
        first = found[0]
        assert first.difference is not None
        p = p_less(_primary_differences(candidate, default, rule), seed)
        lost = p < rule.level and first.difference < -rule.tolerance
        first = Row(**{**asdict(first), "p": p, "verdict": "worse" if lost else "no worse"})
        rows = [first, *found[1:]]
    worse = _names(rows, "worse")
    if missed:
        sentence = f"it does not reach the floor of {missed}"
    elif worse:
        sentence = f"it is significantly worse than the default model on {worse}"
    elif default is None:
        sentence = (
            "it reaches every floor; the default model was trained on another split and is not compared"
        )
    else:
        sentence = "it reaches every floor and is not significantly worse than the default model on anything"
    rival = None if default is None else "the default model"
    return Decision(not missed and not worse, sentence, rival, (*rows, *floors), smallest)


def unopposed(candidate: ValidationAnswers, rule: Rule, sentence: str, *, promoted: bool) -> Decision:
    """Return a decision without a rival, for the reason in `sentence`."""
    return Decision(promoted, sentence, None, tuple(_alone(candidate, rule)), None)


def _compared(
    candidate: ValidationAnswers, rival: ValidationAnswers, rule: Rule, seed: int
) -> tuple[list[Row], float]:
    """Return the rows of the primary, its strata and the guards, and the smallest significant improvement."""
    of_primary = _primary_differences(candidate, rival, rule)
    fed = ACCEPTED in candidate.scored  # both models have the same pictures
    level = rule.level / 2 if fed and _enough(candidate, rival, rule) else rule.level
    p, chance = p_greater(of_primary, seed)
    smallest = float(np.quantile(chance, 1 - level)) if len(chance) else 0.0
    better: Verdict = "better" if of_primary.sum() > 0 and p < level else "not better"
    if fed and better == "not better" and p_less(of_primary, seed) < rule.level:
        better = "worse"
    rows = [_row(PRIMARY, primary(candidate, rule), primary(rival, rule), of_primary, p, better, seed)]
    if fed:
        rows.append(_accepted(candidate, rival, rule, seed))
    for name in rule.primary:
        own = differences(candidate.scored[name], rival.scored[name])
        values = candidate.value(name), rival.value(name)
        rows.append(_row(f"{PRIMARY}: {name}", *values, own, None, "part", seed))
    for name, tolerance in rule.guards.items():
        rows.append(_guard(name, candidate, rival, tolerance, rule.level, seed))
    return rows, smallest


def _accepted(candidate: ValidationAnswers, rival: ValidationAnswers, rule: Rule, seed: int) -> Row:
    """Return the row of accepted feedback in the validation data, tested at half of the significance level.

    People send pictures that the rival misreads. The candidate must therefore gain significantly, and
    significantly more than on the rival's ordinary mistakes.
    """
    pair = candidate.scored[ACCEPTED], rival.scored[ACCEPTED]
    own = differences(*pair)
    p = max(p_greater(own, seed)[0], p_by_churn(*pair, _churn(candidate, rival)))
    verdict: Verdict = "better" if own.sum() > 0 and p < rule.level / 2 else "not better"
    if verdict == "not better" and p_less(own, seed) < rule.level:
        verdict = "worse"
    return _row(ACCEPTED, candidate.value(ACCEPTED), rival.value(ACCEPTED), own, p, verdict, seed)


def _enough(candidate: ValidationAnswers, rival: ValidationAnswers, rule: Rule) -> bool:
    """Whether the rival misreads enough accepted pictures for a candidate to win on them."""
    misread, _ = churn(candidate.scored[ACCEPTED], rival.scored[ACCEPTED])
    return max(0.5, _churn(candidate, rival)) ** misread < rule.level / 2


def _churn(candidate: ValidationAnswers, rival: ValidationAnswers) -> float:
    """Return the share of the rival's ordinary mistakes that the candidate reads correctly (smoothed)."""
    counts = [churn(candidate.scored[name], rival.scored[name]) for name in ORDINARY]
    misread, right = map(sum, zip(*counts, strict=True))
    return (right + 1) / (misread + 2)


def _guard(
    name: str,
    candidate: ValidationAnswers,
    rival: ValidationAnswers,
    tolerance: float,
    level: float,
    seed: int,
) -> Row:
    values = candidate.value(name), rival.value(name)
    if name == CALIBRATION:
        difference = values[0] - values[1]
        p = p_worse_calibrated(candidate.calibration, rival.calibration, seed)
        lost = p < level and difference > tolerance
        return Row(f"guard: {name}", *values, difference, None, None, p, "worse" if lost else "no worse")
    own = differences(candidate.scored[name], rival.scored[name])
    p = p_less(own, seed)
    lost = p < level and float(own.sum()) < -tolerance
    return _row(f"guard: {name}", *values, own, p, "worse" if lost else "no worse", seed)


def _row(
    name: str,
    candidate: float,
    rival: float,
    each: NDArray[np.float64],
    p: float | None,
    verdict: Verdict,
    seed: int,
) -> Row:
    low, high = interval(each, seed)
    return Row(name, candidate, rival, float(each.sum()), low, high, p, verdict)


def _floor(name: str, value: float, floor: float) -> Row:
    held = value >= floor
    return Row(f"floor: {name}", value, floor, value - floor, None, None, None, "held" if held else "missed")


def _alone(candidate: ValidationAnswers, rule: Rule) -> list[Row]:
    names = [*(f"{PRIMARY}: {name}" for name in rule.primary), *(f"guard: {name}" for name in rule.guards)]
    values = [candidate.value(name) for name in (*rule.primary, *rule.guards)]
    if ACCEPTED in candidate.scored:
        names, values = [ACCEPTED, *names], [candidate.value(ACCEPTED), *values]
    return [
        Row(name, value, None, None, None, None, None, "not compared")
        for name, value in zip(names, values, strict=True)
    ]


def _names(rows: Sequence[Row], verdict: Verdict) -> str:
    """Return the names of the rows with this verdict, joined by "and"; "" if there are none."""
    return " and ".join(row.name.rpartition(": ")[2] for row in rows if row.verdict == verdict)


def primary(answers: ValidationAnswers, rule: Rule) -> float:
    """Return the weighted mean of the strata, 0..1."""
    total = sum(rule.primary.values())
    return sum(weight * answers.value(name) for name, weight in rule.primary.items()) / total


def _primary_differences(
    candidate: ValidationAnswers, rival: ValidationAnswers, rule: Rule
) -> NDArray[np.float64]:
    """Return the contribution of each source digit to the difference of the primaries, without zeros."""
    total = sum(rule.primary.values())
    parts, sources = [], []
    for number, (name, weight) in enumerate(rule.primary.items()):
        own, other = candidate.scored[name], rival.scored[name]
        parts.append(weight / total * own.shares * (own.score - other.score))
        alone = own.source < 0
        sources.append(np.where(alone, own.source * len(rule.primary) - number, own.source))
    return by_source(np.concatenate(parts), np.concatenate(sources))


def table(rows: Sequence[Row]) -> str:
    """Return the decision's table in Markdown, with values in percent."""
    lines = ["| | candidate | rival | difference | 95 % | p | |", "|---|--:|--:|--:|--:|--:|---|"]
    for row in rows:
        between = (
            "" if row.low is None or row.high is None else f"{100 * row.low:+.2f} to {100 * row.high:+.2f}"
        )
        difference = "" if row.difference is None else f"{100 * row.difference:+.3f}"
        p = "" if row.p is None else f"{row.p:.3f}"
        rival = "" if row.rival is None else f"{100 * row.rival:.3f}"
        value = f"{100 * row.candidate:.3f}"
        lines.append(f"| {row.name} | {value} | {rival} | {difference} | {between} | {p} | {row.verdict} |")
    return "\n".join(lines)
