"""One trial of a search: a short training in a process of its own, an MLflow run below the search's run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from optuna import Trial, TrialPruned
from optuna.trial import TrialState

from pipeline.mnist.dataset import Digits
from pipeline.project.errors import PipelineError
from pipeline.project.paths import CHECKPOINTS, PROCESSED, root
from pipeline.project.runner import check_names, end_with_parent, quiet_stderr
from pipeline.registry import runs
from pipeline.training.data import training_data
from pipeline.tuning.space import with_values

OUTCOME = "outcome"  # the tag that says whether a trial was pruned
SCORE = "val_accuracy"
"""Of the mixed validation images, as it chooses a training's best epoch. Not the loss: label smoothing, which
may be searched, is a part of that."""
NOT_TRAINING = ("resume", "false_rejects", "turns")  # of the section `train`: matters of its stage


@dataclass(frozen=True)
class Plan:
    """What the trials of a search have in common: the section `train`, and how short they are."""

    settings: Mapping[str, Any]
    epochs: int
    share: float  # of the training images
    data_sha256: str
    run_id: str  # of the search


def process(trial: Trial, plan: Plan, threads: int) -> None:
    """What the trial's process does, with so many threads; its exit code is 1 where the trial failed."""
    end_with_parent()
    try:
        with quiet_stderr():
            import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        run(trial, plan)
    except PipelineError as error:
        print(f"trial {trial.number}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run(trial: Trial, plan: Plan) -> None:
    """Train with the values of a trial and tell its study how that ended.

    After an interruption the study is told nothing; the training's checkpoint stays for another try.
    """
    try:
        score = _score(trial, plan)
    except Exception:
        trial.study.tell(trial, state=TrialState.FAIL)
        raise
    trial.study.tell(trial, score, TrialState.PRUNED if score is None else TrialState.COMPLETE)


def _score(trial: Trial, plan: Plan) -> float | None:
    """The score of the best epoch; None for a trial that was pruned."""
    from pipeline.training.checkpoint import Checkpoint
    from pipeline.training.loop import train

    chosen = with_values(plan.settings, trial.params) | {"epochs": plan.epochs}
    every, validation, own = training_data(PROCESSED, chosen["drawn"], chosen["drawn_last"])
    digits, own = part(every, own, plan.share, chosen["seed"])
    training = partial(train, digits, validation, own=own)
    params = {name: value for name, value in chosen.items() if name not in NOT_TRAINING}
    check_names("train", training, params)
    logged = {**params, "share": plan.share}
    checkpoint = Checkpoint.of(root() / CHECKPOINTS, logged, plan.data_sha256)
    with runs.training_run(logged):
        mlflow.set_tags({MLFLOW_PARENT_RUN_ID: plan.run_id, MLFLOW_RUN_NAME: f"trial {trial.number}"})
        log = partial(_log, trial, plan.epochs)
        try:
            with _no_output():
                trained = training(**params, log=log, checkpoint=checkpoint)
            score = max(trained.history[SCORE])
        except TrialPruned:
            score = None
        mlflow.set_tag(OUTCOME, "pruned" if score is None else "complete")
    checkpoint.remove()
    return score


def part(digits: Digits, own: int, share: float, seed: int) -> tuple[Digits, int]:
    """A random share of the first `own` digits and after them of the others, and how many are of the first.

    One at least; the same for the same seed.
    """
    random = np.random.default_rng(seed)
    first = random.permutation(own)[: max(1, round(share * own))]
    others = own + random.permutation(digits.total - own)[: round(share * (digits.total - own))]
    return digits.take(np.concatenate([first, others])), len(first)


def _log(trial: Trial, epochs: int, metrics: Mapping[str, float], epoch: int) -> None:
    """Note an epoch; raises `TrialPruned` where the trial is behind the others."""
    runs.log_epoch(metrics, epoch)
    told = f"trial {trial.number}, epoch {epoch}/{epochs}: validation accuracy {metrics[SCORE]:.2%}"
    print(told, file=sys.__stdout__, flush=True)
    trial.report(metrics[SCORE], epoch)
    if trial.should_prune():
        raise TrialPruned


@contextmanager
def _no_output() -> Iterator[None]:
    """Without a training's own lines: those of trials side by side would be mixed."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
