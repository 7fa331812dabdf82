"""A worker of a search, and its trials. A trial is a short training and a child of the search's MLflow run.

A worker is a process that trains, or a thread that trains on a node of a cluster (`tuning.cluster`).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from pathlib import Path

import mlflow
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME
from optuna import Study, Trial, TrialPruned
from optuna.study import MaxTrialsCallback
from optuna.trial import FrozenTrial, TrialState

from pipeline.project.errors import PipelineError
from pipeline.project.paths import CHECKPOINTS, root
from pipeline.project.runner import end_with_parent
from pipeline.registry import runs
from pipeline.tuning import short_training
from pipeline.tuning.short_training import SCORE, Images, Log, Params
from pipeline.tuning.space import NOT_TRAINING, suggest, with_values
from pipeline.tuning.study import DONE, RUN, Plan, keep_best, one_at_a_time, open_study, queue_again

OUTCOME = "outcome"  # the tag that says whether a trial was pruned
STARTED = (*DONE, TrialState.RUNNING)
FAILED, INTERRUPTED = 1, 130  # exit codes

Train = Callable[[Params, Log], float]
"""A function that trains and returns the score of the best epoch.

It raises what its `Log` raises, and `runs.Killed` if the training's process was killed on another machine."""


def worker_process(plan: Plan, trials: int, worker: int, threads: int) -> None:
    """Run a worker process with this many threads; it exits with `FAILED` if a trial failed."""
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):  # Optuna would fail the trial after a KeyboardInterrupt
        signal.signal(number, lambda *_: sys.exit(INTERRUPTED))
    short_training.limit_threads(threads)
    try:
        given = short_training.images(plan.settings, plan.share)
        work(plan, trials, worker, partial(train_here, given, plan))
    except PipelineError as error:
        print(f"search: {error}", file=sys.stderr)
        sys.exit(FAILED)


def work(plan: Plan, trials: int, worker: int, train: Train, *, here: bool = True) -> None:
    """Run trials until `trials` of the study have been started by any worker; raises what a trial raises.

    From the end of a trial until it has the values of the next one, the worker holds a lock, so that no trial
    is taken twice and there are never too many. A trial whose node was killed fails, and its values are
    queued.
    """
    study, client = open_study(plan, worker), runs.connect()
    with ExitStack() as my_turn:

        def objective(trial: Trial) -> float:
            values = ", ".join(f"{name} {value:.4g}" for name, value in suggest(trial, plan.searched).items())
            my_turn.close()
            print(f"search: trial {trial.number}: {values}", flush=True)
            try:
                return run(trial, plan, train, here=here)
            except PipelineError as error:
                raise PipelineError(f"trial {trial.number}: {error}") from error
            except runs.Killed:
                queue_again(study, study.trials[trial.number])
                raise

        def after_each(study: Study, _: FrozenTrial) -> None:
            my_turn.enter_context(one_at_a_time())
            keep_best(study, plan.settings, client)

        my_turn.enter_context(one_at_a_time())
        if len(study.get_trials(deepcopy=False, states=STARTED)) < trials:
            study.optimize(
                objective,
                callbacks=[after_each, MaxTrialsCallback(trials, STARTED)],
                catch=(runs.Killed,),
            )


def run(trial: Trial, plan: Plan, train: Train, *, here: bool = True) -> float:
    """Train with the values of a trial and return the score of its best epoch; raises `TrialPruned`."""
    chosen = with_values(plan.settings, trial.params) | {"epochs": plan.epochs}
    params = {name: value for name, value in chosen.items() if name not in NOT_TRAINING}
    score = None
    with runs.trial_run({**params, "share": plan.share}, here=here):
        above = trial.study.user_attrs[RUN]
        mlflow.set_tags({MLFLOW_PARENT_RUN_ID: above, MLFLOW_RUN_NAME: f"trial {trial.number}"})
        with suppress(TrialPruned):
            score = train(params, partial(_log, trial, plan.epochs))
        mlflow.set_tag(OUTCOME, "pruned" if score is None else "complete")
    if score is None:
        raise TrialPruned  # outside the block above, so that MLflow's run is FINISHED and not FAILED
    return score


def train_here(given: Images, plan: Plan, params: Params, log: Log) -> float:
    """Train in this process. After an interruption the checkpoint remains, so that a new trial can resume."""
    from pipeline.training.checkpoint import Checkpoint

    of = {**params, "share": plan.share}
    checkpoint = Checkpoint.of(root() / CHECKPOINTS, of, plan.data_sha256)
    try:
        with _no_output():
            score = short_training.train(given, params, log, checkpoint)
    except TrialPruned:
        checkpoint.remove()
        raise
    checkpoint.remove()
    return score


def _log(trial: Trial, epochs: int, metrics: Mapping[str, float], epoch: int) -> None:
    """Log an epoch; raises `TrialPruned` if the trial is behind the others."""
    runs.log_epoch(metrics, epoch)
    told = f"trial {trial.number}, epoch {epoch}/{epochs}: validation accuracy {metrics[SCORE]:.2%}"
    print(told, file=sys.__stdout__, flush=True)
    trial.report(metrics[SCORE], epoch)
    if trial.should_prune():
        raise TrialPruned


@contextmanager
def _no_output() -> Iterator[None]:
    """Suppress a training's own output, because the lines of concurrent trials would be mixed."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
