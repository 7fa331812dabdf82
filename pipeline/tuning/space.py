"""The space of a search: which values of the section `train` it tries, as params.yaml writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna import Trial
from optuna.distributions import FloatDistribution, IntDistribution

from pipeline.project.errors import ParameterError
from pipeline.project.params import flat
from pipeline.project.paths import PARAMS

Distribution = FloatDistribution | IntDistribution
LOG = "log"
NOT_TRAINING = (
    "resume",
    "accepted",
    "false_rejects",
    "turns",
)  # of the section `train`: matters of its stage, which no trial varies
NOT_SEARCHED = ("seed", "epochs", "drawn", "drawn_last", *NOT_TRAINING)
"""Luck, what the search sets itself, what changes the validation images, what is the stage's."""
DIGITS = 4  # significant ones of a value that is tried: enough to tell settings apart, short to read


def distributions(space: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Distribution]:
    """Where each value is drawn from, by dotted names: [low, high], or [low, high, log].

    A value is whole where `settings` and both ends are. Raises `ParameterError` for a name that `settings`
    do not have or that is no number there, and for what is no range.
    """
    known = flat(settings)
    numbers = [name for name, value in known.items() if type(value) in (int, float)]
    searched = {}
    for name, ends in flat(space).items():
        if name not in numbers or name in NOT_SEARCHED:
            choice = ", ".join(number for number in numbers if number not in NOT_SEARCHED)
            raise ParameterError(f"{PARAMS}: search.space cannot have {name!r}, only {choice}.")
        searched[name] = _distribution(name, ends, type(known[name]) is int)
    if not searched:
        raise ParameterError(f"{PARAMS}: search.space names nothing to search.")
    return searched


def _distribution(name: str, ends: object, whole: bool) -> Distribution:
    match ends:
        case [int() | float() as low, int() | float() as high, *rest] if rest in ([], [LOG]):
            log = bool(rest)
        case _:
            raise ParameterError(
                f"{PARAMS}: search.space.{name} is {ends}: use [low, high] or [low, high, log]."
            )
    if low > high or (log and low <= 0):
        ordered = "0 < low <= high" if log else "low <= high"
        raise ParameterError(f"{PARAMS}: search.space.{name} is {ends}, but needs {ordered}.")
    if whole and isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def suggest(trial: Trial, searched: Mapping[str, Distribution]) -> dict[str, float]:
    """A value from each distribution, drawn by the sampler of the trial's study."""
    return {
        name: trial.suggest_int(name, one.low, one.high, log=one.log)
        if isinstance(one, IntDistribution)
        else trial.suggest_float(name, one.low, one.high, log=one.log)
        for name, one in searched.items()
    }


def present(searched: Mapping[str, Distribution], settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The searched values as `settings` have them now; None where one lies outside of its range."""
    values = {name: flat(settings)[name] for name in searched}
    inside = all(searched[name].low <= value <= searched[name].high for name, value in values.items())
    return values if inside else None


def with_values(settings: Mapping[str, Any], values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings, nested as they are, with these values (dotted names) in the place of theirs."""
    changed: dict[str, Any] = {}
    for name, value in settings.items():
        full = prefix + name
        if isinstance(value, Mapping):
            changed[name] = with_values(value, values, f"{full}.")
        else:
            changed[name] = _short(values[full]) if full in values else value
    return changed


def _short(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
