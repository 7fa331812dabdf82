"""A search for better parameters of the training: `make search`. Only validation images judge.

Short trainings on a share of the images; the section `search` of params.yaml says how many, how short, and
which values they try. The best are written into profiles/found.yaml. As shipped, a search takes half an hour
on two cores. What is done is kept: after Ctrl-C or a kill the same command goes on, and a larger --trials
adds to it. With --cluster the trials are trained on a Ray cluster's nodes; study, runs and what is found stay
here.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, get_context
from typing import Any

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from optuna import Study
from optuna.pruners import MedianPruner

from pipeline.mnist.dataset import data_sha256
from pipeline.project.errors import ParameterError, PipelineError
from pipeline.project.params import read_params
from pipeline.project.paths import PROCESSED
from pipeline.project.runner import end_with_parent, run_stage
from pipeline.registry import runs
from pipeline.tuning import trial
from pipeline.tuning.space import distributions
from pipeline.tuning.study import (
    FOUND,
    RUN,
    Plan,
    alone,
    done,
    keep_best,
    open_study,
    try_lost_again,
    try_present,
)

LOSSES = 3  # times in a row that workers end without a trial's answer: then something else is wrong


Workers = Callable[[Study, Plan, int], None]
"""Let workers go on with a study until so many trials are done."""


def run(
    *,
    jobs: int | None,
    given: Mapping[str, Any],
    trials: int,
    epochs: int,
    share: float,
    prune_after_trials: int,
    prune_after_epochs: int,
    space: Mapping[str, Any],
    cluster: str | None = None,
) -> None:
    """The whole search, until `trials` of its study are done; what is `given` goes before params.yaml.

    A trial is a training of `epochs` on a `share` of the training images. It is pruned after
    `prune_after_epochs` at the earliest, where its best accuracy so far is below the median of
    `prune_after_trials` others or more. At a time there are so many `jobs`: by default one, and on a
    `cluster` (its address) as many as there is room for.
    """
    end_with_parent()
    trials, epochs, share = (
        given.get(name, value) for name, value in (("trials", trials), ("epochs", epochs), ("share", share))
    )
    if min(1 if jobs is None else jobs, trials, epochs) < 1 or not 0 < share <= 1:
        raise ParameterError("A search needs trials, epochs and jobs of 1 or more, and a share in (0, 1].")
    settings = read_params("train")
    searched = distributions(space, settings)
    pruner = MedianPruner(prune_after_trials, prune_after_epochs)
    plan = Plan(settings, searched, epochs, share, data_sha256(PROCESSED), pruner)
    logged = {"seed": settings["seed"], "epochs": epochs, "share": share, "space": space}
    with alone(), workers(cluster, jobs) as go_on:
        study = open_study(plan)
        try_present(study, plan)
        with runs.reopened_run(study.user_attrs.get(RUN, ""), logged, goes_on=True) as (client, run_id):
            client.set_tag(run_id, MLFLOW_RUN_NAME, "search")
            study.set_user_attr(RUN, run_id)
            go_on(study, plan, trials)
            keep_best(study, settings, client)  # a worker may have been killed before it did
    best = study.best_trial
    print(f"search: {done(study)} trials are done; the best is trial {best.number}: {best.value:.2%}")
    print(f"search: its values are in {FOUND}; `make profile NAME={FOUND.stem}` and `dvc repro` train them")


@contextmanager
def workers(address: str | None, jobs: int | None) -> Iterator[Workers]:
    """Those of this machine, or of the cluster at `address`; raises `PipelineError` where there is none."""
    if address is None:
        yield partial(search, jobs=jobs or 1)
        return
    try:
        from pipeline.tuning import cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise PipelineError("A search on a cluster needs Ray: `make team` installs it.") from None
    with cluster.connected(address):
        yield partial(cluster.search, jobs=jobs)


def search(study: Study, plan: Plan, trials: int, jobs: int) -> None:
    """Let `jobs` workers, each with its part of the cores, go on until `trials` are done.

    Raises `PipelineError` where a trial fails, or workers are killed too often.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    losses = 0
    while (before := done(study)) < trials:
        if losses == LOSSES:
            raise PipelineError(f"{losses} trials in a row were killed: is there enough memory?")
        try_lost_again(study)
        if trial.FAILED in run_workers(plan, trials, min(jobs, trials - before), threads):
            raise PipelineError("A trial failed, for the reason above; the same command goes on after it.")
        losses = losses + 1 if done(study) == before else 0


def run_workers(plan: Plan, trials: int, workers: int, threads: int) -> set[int | None]:
    """Start so many workers and wait for all; one that fails or is killed ends the others. None is left."""
    spawn = get_context("spawn").Process  # TensorFlow's seed and threads are a process's
    started = [
        spawn(target=trial.worker_process, args=(plan, trials, n, threads), daemon=True)
        for n in range(workers)
    ]
    for one in started:
        one.start()
    try:
        while alive := [one.sentinel for one in started if one.is_alive()]:
            if any(one.exitcode for one in started):
                break
            connection.wait(alive)
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.join()
    return {one.exitcode for one in started}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trials", type=int, help="how many are done in the end, those of before counted")
    parser.add_argument("--epochs", type=int, help="of each trial")
    parser.add_argument("--share", type=float, help="of the training images that a trial sees")
    parser.add_argument("--jobs", type=int, help="trials at a time, each with its part of the cores")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="train on the nodes of a Ray cluster: HOST:PORT of its head, or auto for this machine's",
    )
    options = vars(parser.parse_args())
    jobs, cluster = options.pop("jobs"), options.pop("cluster")
    given = {name: value for name, value in options.items() if value is not None}
    return run_stage("search", partial(run, jobs=jobs, cluster=cluster, given=given))


if __name__ == "__main__":
    sys.exit(main())
