"""A worker of a search, a process, and its trials: short trainings, MLflow runs below the search's run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from optuna import Study, Trial, TrialPruned
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState

from pipeline.mnist.dataset import Digits
from pipeline.project.errors import PipelineError
from pipeline.project.paths import CHECKPOINTS, PROCESSED, root
from pipeline.project.runner import check_names, end_with_parent, quiet_stderr
from pipeline.registry import runs
from pipeline.training.data import training_data
from pipeline.tuning.space import NOT_TRAINING, suggest, with_values
from pipeline.tuning.study import DONE, RUN, SCORE, Plan, keep_best, one_at_a_time, open_study

OUTCOME = "outcome"  # the tag that says whether a trial was pruned
STARTED = (*DONE, TrialState.RUNNING)
FAILED, INTERRUPTED = 1, 130  # exit codes


def worker_process(plan: Plan, trials: int, worker: int, threads: int) -> None:
    """What a worker's process does, with so many threads; it exits with `FAILED` where a trial failed."""
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):  # a KeyboardInterrupt would fail the trial for Optuna
        signal.signal(number, lambda *_: sys.exit(INTERRUPTED))
    with quiet_stderr():
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    try:
        work(plan, trials, worker)
    except PipelineError as error:
        print(f"search: {error}", file=sys.stderr)
        sys.exit(FAILED)


def work(plan: Plan, trials: int, worker: int) -> None:
    """Run trials until `trials` of the study are done or another worker's; raises what one of them raises.

    From the end of a trial to the values of the next it is this worker's turn alone: so no trial is taken
    twice, and there are never too many.
    """
    study, client = open_study(plan, worker), runs.connect()
    with ExitStack() as my_turn:

        def objective(trial: Trial) -> float:
            values = ", ".join(f"{name} {value:.4g}" for name, value in suggest(trial, plan.searched).items())
            my_turn.close()
            print(f"search: trial {trial.number}: {values}", flush=True)
            try:
                return run(trial, plan)
            except PipelineError as error:
                raise PipelineError(f"trial {trial.number}: {error}") from error

        def after_each(study: Study, _: FrozenTrial) -> None:
            my_turn.enter_context(one_at_a_time())
            keep_best(study, plan.settings, client)

        my_turn.enter_context(one_at_a_time())
        if len(study.get_trials(deepcopy=False, states=STARTED)) < trials:
            study.optimize(objective, callbacks=[after_each, MaxTrialsCallback(trials, STARTED)])


def run(trial: Trial, plan: Plan) -> float:
    """Train with the values of a trial and give the score of its best epoch; raises `TrialPruned`.

    After an interruption the training's checkpoint stays for another try.
    """
    from pipeline.training.checkpoint import Checkpoint
    from pipeline.training.loop import train

    chosen = with_values(plan.settings, trial.params) | {"epochs": plan.epochs}
    every, validation, own = training_data(PROCESSED, chosen["drawn"], chosen["drawn_last"])
    digits, own = subset(every, own, plan.share, chosen["seed"])
    training = partial(train, digits, validation, own=own)
    params = {name: value for name, value in chosen.items() if name not in NOT_TRAINING}
    check_names("train", training, params)
    logged = {**params, "share": plan.share}
    checkpoint = Checkpoint.of(root() / CHECKPOINTS, logged, plan.data_sha256)
    score = None
    with runs.training_run(logged):
        above = trial.study.user_attrs[RUN]
        mlflow.set_tags({MLFLOW_PARENT_RUN_ID: above, MLFLOW_RUN_NAME: f"trial {trial.number}"})
        log = partial(_log, trial, plan.epochs)
        with suppress(TrialPruned), _no_output():
            score = max(training(**params, log=log, checkpoint=checkpoint).history[SCORE])
        mlflow.set_tag(OUTCOME, "pruned" if score is None else "complete")
    checkpoint.remove()
    if score is None:
        raise TrialPruned  # not before: for MLflow the run has ended well
    return score


def subset(digits: Digits, own: int, share: float, seed: int) -> tuple[Digits, int]:
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
