"""The Optuna study of a search, in a database next to MLflow's, and what its worker processes share."""

# See docs/decisions/search.md.
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
OWN = ("seed", "resume")  # entries of the section `train` that profiles do not set
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
RUN = "run_id"  # the study's attribute with the search's MLflow run


@dataclass(frozen=True)
class Plan:
    """The common settings of a search's trials: the section `train`, the space, and the trials' length."""

    settings: Mapping[str, Any]
    searched: Mapping[str, Distribution]
    epochs: int
    share: float  # of the training images
    data_sha256: str
    pruner: MedianPruner

    @property
    def name(self) -> str:
        """The study's name. Two searches have the same name only if their trials are comparable.

        The current values of the searched parameters do not matter, so a search continues the same study
        after its result was written to params.yaml.
        """
        ignored = {*self.searched, "epochs", *NOT_TRAINING}
        fixed = {name: value for name, value in flat(self.settings).items() if name not in ignored}
        ranges = {name: distribution_to_json(one) for name, one in self.searched.items()}
        text = json.dumps([fixed, ranges, self.epochs, self.share, self.data_sha256], sort_keys=True)
        return f"search-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def alone() -> AbstractContextManager[None]:
    """Wait until no other search runs. After that, a trial in the state RUNNING has lost its process."""
    return locked(store() / ".search.lock", "search: waiting for another search to finish")


def one_at_a_time() -> AbstractContextManager[None]:
    """Lock the counting and taking of trials, because with SQLite two processes could take the same one."""
    return locked(store() / ".search-turn.lock")


def open_study(plan: Plan, worker: int = 0) -> Study:
    """Open or create the plan's study, with a sampler whose seed differs by worker and number of trials."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    patient = {"connect_args": {"timeout": 60}}  # seconds to wait for the writes of other processes
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{store() / SEARCHES}", engine_kwargs=patient)
    except SQLAlchemyError as error:
        raise RegistryError(
            f"{store() / SEARCHES} cannot be opened ({str(error).splitlines()[0]}). If it is damaged,"
            " move it away. The search then starts again, and the runs of its trials stay in MLflow."
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
    """Queue the current values as the first trial of a new study, so that a result has to beat them."""
    values = present(plan.searched, plan.settings)
    if not study.trials and values is not None:
        study.enqueue_trial(values)


def try_lost_again(study: Study) -> None:
    """Fail trials that are still RUNNING although no worker is left, and queue their values again."""
    for lost in study.get_trials(states=(TrialState.RUNNING,)):
        queue_again(study, lost)
        study.tell(lost.number, state=TrialState.FAIL)


def queue_again(study: Study, lost: FrozenTrial) -> None:
    """Queue the values of an interrupted trial as a new trial."""
    again = optuna.create_trial(
        state=TrialState.WAITING,
        params=lost.params,
        distributions=lost.distributions,
        system_attrs=lost.system_attrs,  # these include the values of a trial that was itself queued
    )
    study.add_trial(again)
    print(f"search: trial {lost.number} was interrupted and will be repeated", flush=True)


def done(study: Study) -> int:
    """Return the number of trials that are complete or pruned."""
    return len(study.get_trials(deepcopy=False, states=DONE))


def keep_best(study: Study, settings: Mapping[str, Any], client: MlflowClient) -> None:
    """Write the best values so far as a profile, and log the best score to the search's MLflow run."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return
    best, run_id = study.best_trial, study.user_attrs[RUN]
    profile = {name: value for name, value in with_values(settings, best.params).items() if name not in OWN}
    yaml, text = YAML(), io.StringIO()
    yaml.default_flow_style = None  # lists of numbers in one line
    yaml.width = 110
    yaml.dump(profile, text)
    origin = f"{best.value:.2%} on validation, trial {best.number} of {study.study_name}"
    write_text(FOUND, f"# Found by `make search`: {origin}\n{text.getvalue()}")
    client.log_metric(run_id, EPOCH[SCORE], best.value or 0.0, step=done(study))
    client.set_tag(run_id, "best_trial", best.number)
