"""A search for better parameters of the training: `make search`. Only validation images judge.

Short trainings on a share of the images; the section `search` of params.yaml says how many, how short, and
which values they try. The best are written into profiles/found.yaml. As shipped, a search takes half an hour
on two cores. What is done is kept: after Ctrl-C or a kill the same command goes on, and a larger --trials
adds to it.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from typing import Any

from mlflow import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from optuna import Study, Trial
from optuna.pruners import MedianPruner
from optuna.trial import TrialState
from ruamel.yaml import YAML

from pipeline.mnist.dataset import data_sha256
from pipeline.project.errors import ParameterError, PipelineError
from pipeline.project.files import write_text
from pipeline.project.params import read_params
from pipeline.project.paths import PROCESSED, PROFILES
from pipeline.project.runner import end_with_parent, run_stage
from pipeline.registry import runs
from pipeline.tuning import trial
from pipeline.tuning.space import Distribution, distributions, with_values
from pipeline.tuning.study import DONE, alone, answered, done, open_study, study_name, try_present
from pipeline.tuning.trial import Plan

FOUND = PROFILES / "found.yaml"
RUN = "run_id"  # the study's attribute with the search's MLflow run
OWN = ("seed", "resume")  # of the section `train`: no profile sets them
LOSSES = 3  # trials in a row that end without an answer: then something else is wrong


def run(
    *,
    jobs: int,
    given: Mapping[str, Any],
    trials: int,
    epochs: int,
    share: float,
    prune_after_trials: int,
    prune_after_epochs: int,
    space: Mapping[str, Any],
) -> None:
    """The whole search, until `trials` of its study are done; what is `given` goes before params.yaml.

    A trial is a training of `epochs` on a `share` of the training images. It is pruned after
    `prune_after_epochs` at the earliest, where its best accuracy so far is below the median of
    `prune_after_trials` others or more.
    """
    end_with_parent()
    trials, epochs, share = (
        given.get(name, value) for name, value in (("trials", trials), ("epochs", epochs), ("share", share))
    )
    if min(jobs, trials, epochs) < 1 or not 0 < share <= 1:
        raise ParameterError("A search needs trials, epochs and jobs of 1 or more, and a share in (0, 1].")
    settings = read_params("train")
    searched = distributions(space, settings)
    data = data_sha256(PROCESSED)
    logged = {"seed": settings["seed"], "epochs": epochs, "share": share, "space": space}
    with alone():
        name = study_name(settings, searched, epochs, share, data)
        study = open_study(name, settings["seed"], MedianPruner(prune_after_trials, prune_after_epochs))
        try_present(study, searched, settings)
        with runs.reopened_run(study.user_attrs.get(RUN, ""), logged) as (client, run_id):
            client.set_tag(run_id, MLFLOW_RUN_NAME, "search")
            study.set_user_attr(RUN, run_id)
            keep = partial(keep_best, study, settings, client)
            keep()
            search(study, searched, Plan(settings, epochs, share, data, run_id), trials, jobs, keep)
    best = study.best_trial
    print(f"search: {done(study)} trials are done; the best is trial {best.number}: {best.value:.2%}")
    print(f"search: its values are in {FOUND}; `make profile NAME={FOUND.stem}` and `dvc repro` train them")


def search(
    study: Study,
    searched: Mapping[str, Distribution],
    plan: Plan,
    trials: int,
    jobs: int,
    after_each: Callable[[], None],
) -> None:
    """Run trials, `jobs` at a time, until `trials` are done. No process is left when this ends.

    Raises `PipelineError` where a trial fails, or too many in a row end without an answer.
    """
    running: dict[SpawnProcess, int] = {}
    losses = 0
    try:
        while done(study) < trials:
            while len(running) < min(jobs, trials - done(study)):
                chosen = study.ask(dict(searched))
                values = ", ".join(f"{name} {value:.4g}" for name, value in chosen.params.items())
                print(f"search: trial {chosen.number}: {values}", flush=True)
                running[start(chosen, plan, jobs)] = chosen.number
            connection.wait([one.sentinel for one in running])
            for ended in [one for one in running if not one.is_alive()]:
                losses = 0 if answered(study, running.pop(ended)) else losses + 1
                after_each()
            if losses >= LOSSES:
                raise PipelineError(f"{losses} trials in a row were killed: is there enough memory?")
        told = study.get_trials(deepcopy=False)
        for one, number in running.items():
            if told[number].state in DONE:
                one.join()  # it has an answer already, and ends its run
        after_each()
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.join()


def start(chosen: Trial, plan: Plan, jobs: int) -> SpawnProcess:
    """A process for the trial, with its part of the cores: TensorFlow's seed and threads are a process's."""
    threads = max(1, (os.cpu_count() or 1) // jobs)
    one = get_context("spawn").Process(target=trial.process, args=(chosen, plan, threads), daemon=True)
    one.start()
    return one


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
    origin = (
        f"# `make search` found it: {best.value:.2%} on validation, trial {best.number} of {study.study_name}"
    )
    write_text(FOUND, f"{origin}\n{text.getvalue()}")
    client.log_metric(run_id, f"best_{trial.SCORE}", best.value or 0.0, step=done(study))
    client.set_tag(run_id, "best_trial", best.number)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trials", type=int, help="how many are done in the end, those of before counted")
    parser.add_argument("--epochs", type=int, help="of each trial")
    parser.add_argument("--share", type=float, help="of the training images that a trial sees")
    parser.add_argument(
        "--jobs", type=int, default=1, help="trials at a time, each with its part of the cores"
    )
    options = vars(parser.parse_args())
    jobs = options.pop("jobs")
    given = {name: value for name, value in options.items() if value is not None}
    return run_stage("search", partial(run, jobs=jobs, given=given))


if __name__ == "__main__":
    sys.exit(main())
