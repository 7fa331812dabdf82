"""Optuna's record of a search, in a database beside MLflow's, and what its processes have in common."""

# Why it is so: docs/decisions/search.md
from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from mlflow import MlflowClient
from optuna import Study
from optuna.distributions import distribution_to_json
from optuna.pruners import MedianPruner
from optuna.trial import FrozenTrial, TrialState
from ruamel.yaml import YAML
from sqlalchemy.exc import SQLAlchemyError

from pipeline.project.errors import RegistryError
from pipeline.project.files import locked, write_text
from pipeline.project.params import flat
from pipeline.project.paths import PROFILES, store
from pipeline.registry.metric_names import EPOCH
from pipeline.tuning.short_training import SCORE
from pipeline.tuning.space import NOT_TRAINING, Distribution, present, with_values

FOUND = PROFILES / "found.yaml"
SEARCHES = "search.db"  # Optuna's database, in the folder of MLflow's
OWN = ("seed", "resume")  # of the section `train`: no profile sets them
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
RUN = "run_id"  # the study's attribute with the search's MLflow run


@dataclass(frozen=True)
class Plan:
    """What the trials of a search have in common: the section `train`, and how short they are."""

    settings: Mapping[str, Any]
    searched: Mapping[str, Distribution]
    epochs: int
    share: float  # of the training images
    data_sha256: str
    pruner: MedianPruner

    @property
    def name(self) -> str:
        """A study's name, which two searches share only where their trials can be compared.

        The searched values as they are now make no difference: who takes over what was found goes on with
        the same study.
        """
        ignored = {*self.searched, "epochs", *NOT_TRAINING}
        fixed = {name: value for name, value in flat(self.settings).items() if name not in ignored}
        ranges = {name: distribution_to_json(one) for name, one in self.searched.items()}
        text = json.dumps([fixed, ranges, self.epochs, self.share, self.data_sha256], sort_keys=True)
        return f"search-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def alone() -> AbstractContextManager[None]:
    """Wait until no other search is at work: then a trial that runs has lost its process."""
    return locked(store() / ".search.lock", "search: waits for another search to end")


def one_at_a_time() -> AbstractContextManager[None]:
    """Held while trials are counted and one is taken: SQLite would let two processes take the same."""
    return locked(store() / ".search-turn.lock")


def open_study(plan: Plan, worker: int = 0) -> Study:
    """The plan's study, as far as it has come; each worker draws other values, and others after a restart."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    patient = {"connect_args": {"timeout": 60}}  # seconds that a process waits for the others' writes
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{store() / SEARCHES}", engine_kwargs=patient)
    except SQLAlchemyError as error:
        raise RegistryError(
            f"{store() / SEARCHES} cannot be opened ({str(error).splitlines()[0]}). If it is damaged,"
            " move it away: the search begins anew, and the runs of its trials stay in MLflow."
        ) from error
    study = optuna.create_study(
        study_name=plan.name,
        storage=storage,
        pruner=plan.pruner,
        direction="maximize",
        load_if_exists=True,
    )
    seed = np.random.SeedSequence([plan.settings["seed"], len(study.trials), worker]).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(seed[0]))
    return study


def try_present(study: Study, plan: Plan) -> None:
    """Let a new study begin with the values as they are now: what is found has to beat them."""
    values = present(plan.searched, plan.settings)
    if not study.trials and values is not None:
        study.enqueue_trial(values)


def try_lost_again(study: Study) -> None:
    """Fail the trials that still run, where no worker is left, and queue their values as new ones."""
    for lost in study.get_trials(states=(TrialState.RUNNING,)):
        queue_again(study, lost)
        study.tell(lost.number, state=TrialState.FAIL)


def queue_again(study: Study, lost: FrozenTrial) -> None:
    """Queue the values of a trial that was interrupted as a new one."""
    again = optuna.create_trial(
        state=TrialState.WAITING,
        params=lost.params,
        distributions=lost.distributions,
        system_attrs=lost.system_attrs,  # with the values of one that was queued itself
    )
    study.add_trial(again)
    print(f"search: trial {lost.number} was interrupted and is tried again", flush=True)


def done(study: Study) -> int:
    """How many trials have given an answer."""
    return len(study.get_trials(deepcopy=False, states=DONE))


def keep_best(study: Study, settings: Mapping[str, Any], client: MlflowClient) -> None:
    """Write the best values so far as a profile, and tell the search's run."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return
    best, run_id = study.best_trial, study.user_attrs[RUN]
    profile = {name: value for name, value in with_values(settings, best.params).items() if name not in OWN}
    yaml, text = YAML(), io.StringIO()
    yaml.default_flow_style = None  # lists of numbers in one line
    yaml.width = 110
    yaml.dump(profile, text)
    origin = f"{best.value:.2%} on validation, trial {best.number} of {study.study_name}"
    write_text(FOUND, f"# `make search` found it: {origin}\n{text.getvalue()}")
    client.log_metric(run_id, EPOCH[SCORE], best.value or 0.0, step=done(study))
    client.set_tag(run_id, "best_trial", best.number)
