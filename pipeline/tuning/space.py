"""The search space: which parameters of the section `train` are varied, as written in params.yaml."""

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
)  # entries of the section `train` that concern the stage and not the training of a trial
NOT_SEARCHED = ("seed", "epochs", "drawn", "drawn_last", *NOT_TRAINING)
"""Parameters that cannot be searched: the seed, the search's own settings, and parameters that change the
validation images or concern only the stage."""
DIGITS = 4  # significant digits of a value, enough to distinguish settings and short to read


def distributions(space: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Distribution]:
    """Return the distribution of each parameter by its dotted name, from [low, high] or [low, high, log].

    A parameter is an integer if its value in `settings` and both limits are integers. Raises `ParameterError`
    for a parameter that is not a number in `settings` or cannot be searched, and for an invalid range.
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
        raise ParameterError(f"{PARAMS}: search.space is empty.")
    return searched


def _distribution(name: str, ends: object, whole: bool) -> Distribution:
    match ends:
        case [int() | float() as low, int() | float() as high, *rest] if rest in ([], [LOG]):
            log = bool(rest)
        case _:
            raise ParameterError(
                f"{PARAMS}: search.space.{name} is {ends}, but must be [low, high] or [low, high, log]."
            )
    if low > high or (log and low <= 0):
        ordered = "0 < low <= high" if log else "low <= high"
        raise ParameterError(f"{PARAMS}: search.space.{name} is {ends}, but needs {ordered}.")
    if whole and isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def suggest(trial: Trial, searched: Mapping[str, Distribution]) -> dict[str, float]:
    """Draw a value from each distribution with the sampler of the trial's study."""
    return {
        name: trial.suggest_int(name, one.low, one.high, log=one.log)
        if isinstance(one, IntDistribution)
        else trial.suggest_float(name, one.low, one.high, log=one.log)
        for name, one in searched.items()
    }


def present(searched: Mapping[str, Distribution], settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the current values of the searched parameters; None if one is out of its range."""
    values = {name: flat(settings)[name] for name in searched}
    inside = all(searched[name].low <= value <= searched[name].high for name, value in values.items())
    return values if inside else None


def with_values(settings: Mapping[str, Any], values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the nested settings with these values, given by dotted names, replaced."""
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
