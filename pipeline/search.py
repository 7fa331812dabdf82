"""Search for better training parameters: `make search`.

The search runs short trainings on a share of the images and compares them on the validation split only. The
section `search` of params.yaml sets their number, their length and the search space. The best values are
written to profiles/found.yaml. With the default settings a search takes half an hour on two cores. Finished
trials are saved, so the same command resumes after Ctrl-C or a kill, and a larger --trials continues the
search. With --cluster the trials run on the nodes of a Ray cluster, while the study, the runs and the result
stay on this machine.
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

LOSSES = 3  # times in a row that the workers may end without a finished trial


Workers = Callable[[Study, Plan, int], None]
"""A function that runs workers until the given number of trials of a study are done."""


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
    """Run the search until `trials` of its study are done; `given` takes precedence over params.yaml.

    A trial is a training of `epochs` epochs on a `share` of the training images. It is pruned, after at least
    `prune_after_epochs`, if its best accuracy so far is below the median of at least `prune_after_trials`
    others. `jobs` trials run concurrently. The default is one, or on a `cluster` (its address) as many as it
    has cores.
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
            keep_best(study, settings, client)  # a worker may have been killed before it did this
    best = study.best_trial
    print(f"search: {done(study)} trials are done; the best is trial {best.number} with {best.value:.2%}")
    print(f"search: its values are in {FOUND}; train with `make profile NAME={FOUND.stem}` and `make repro`")


@contextmanager
def workers(address: str | None, jobs: int | None) -> Iterator[Workers]:
    """Yield the workers of this machine or of the cluster at `address`; raises `PipelineError`."""
    if address is None:
        yield partial(search, jobs=jobs or 1)
        return
    try:
        from pipeline.tuning import cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise PipelineError("A search on a cluster needs Ray. `make team` installs it.") from None
    with cluster.connected(address):
        yield partial(cluster.search, jobs=jobs)


def search(study: Study, plan: Plan, trials: int, jobs: int) -> None:
    """Run `jobs` workers, each with its share of the cores, until `trials` are done.

    Raises `PipelineError` if a trial fails, or if workers are killed too often.
    """
    threads = max(1, (os.cpu_count() or 1) // jobs)
    losses = 0
    while (before := done(study)) < trials:
        if losses == LOSSES:
            raise PipelineError(f"{losses} trials in a row were killed. Is there enough memory?")
        try_lost_again(study)
        if trial.FAILED in run_workers(plan, trials, min(jobs, trials - before), threads):
            raise PipelineError("A trial failed (see above). Run the same command again to continue.")
        losses = losses + 1 if done(study) == before else 0


def run_workers(plan: Plan, trials: int, workers: int, threads: int) -> set[int | None]:
    """Start workers and wait for all of them; if one fails, the others are ended. Returns exit codes."""
    spawn = get_context("spawn").Process  # TensorFlow's seed and threads are set per process
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
    parser.add_argument("--trials", type=int, help="total number of trials, including finished ones")
    parser.add_argument("--epochs", type=int, help="epochs of each trial")
    parser.add_argument("--share", type=float, help="share of the training images that a trial sees")
    parser.add_argument("--jobs", type=int, help="concurrent trials, each with its share of the cores")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="train on a Ray cluster: HOST:PORT of its head, or auto for this machine's cluster",
    )
    options = vars(parser.parse_args())
    jobs, cluster = options.pop("jobs"), options.pop("cluster")
    given = {name: value for name, value in options.items() if value is not None}
    return run_stage("search", partial(run, jobs=jobs, cluster=cluster, given=given))


if __name__ == "__main__":
    sys.exit(main())
