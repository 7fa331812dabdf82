"""Optuna's record of a search: which trials there were, in a database beside MLflow's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import optuna
from optuna import Study
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from pipeline.project.errors import PipelineError
from pipeline.project.files import locked
from pipeline.project.params import flat
from pipeline.project.paths import store
from pipeline.tuning.space import Distribution, present

DONE = (TrialState.COMPLETE, TrialState.PRUNED)


def alone() -> AbstractContextManager[None]:
    """Wait until no other search is at work: then a trial that runs has lost its process."""
    return locked(store() / ".search.lock", "search: waits for another search to end")


def study_name(
    settings: Mapping[str, Any],
    searched: Mapping[str, Distribution],
    epochs: int,
    share: float,
    data_sha256: str,
) -> str:
    """A name that two searches share only where their trials can be compared.

    The searched values as they are now make no difference: who takes over what was found goes on with
    the same study.
    """
    ignored = {*searched, "epochs", "resume", "false_rejects", "turns"}
    fixed = {name: value for name, value in flat(settings).items() if name not in ignored}
    ranges = {name: distribution_to_json(one) for name, one in searched.items()}
    text = json.dumps([fixed, ranges, epochs, share, data_sha256], sort_keys=True)
    return f"search-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def open_study(name: str, seed: int, pruner: optuna.pruners.BasePruner) -> Study:
    """The study of that name, as far as it has come; what an interruption left in it is tried again."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    patient = {"connect_args": {"timeout": 60}}  # seconds that a process waits for the others' writes
    storage = optuna.storages.RDBStorage(f"sqlite:///{store() / 'search.db'}", engine_kwargs=patient)
    study = optuna.create_study(
        study_name=name, storage=storage, pruner=pruner, direction="maximize", load_if_exists=True
    )
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))  # not the same draws again
    for left in study.get_trials(states=(TrialState.RUNNING,)):
        again(study, left.number)
    return study


def try_present(study: Study, searched: Mapping[str, Distribution], settings: Mapping[str, Any]) -> None:
    """Let a new study begin with the values as they are now: what is found has to beat them."""
    values = present(searched, settings)
    if not study.trials and values is not None:
        study.enqueue_trial(values)


def again(study: Study, number: int) -> None:
    """The trial lost its process: its values are tried once more, as a trial of their own."""
    lost = study.tell(number, state=TrialState.FAIL)
    study.enqueue_trial(lost.params)
    print(f"search: trial {number} was interrupted and is tried again", flush=True)


def answered(study: Study, number: int) -> bool:
    """Whether a trial whose process has ended is done; if it was killed, its values are tried again.

    Raises `PipelineError` where it failed.
    """
    state = study.trials[number].state
    if state is TrialState.FAIL:
        raise PipelineError(
            f"Trial {number} failed, for the reason above; the same command goes on after it."
        )
    if state is TrialState.RUNNING:
        again(study, number)
    return state in DONE


def done(study: Study) -> int:
    """How many trials have given an answer."""
    return len(study.get_trials(deepcopy=False, states=DONE))
