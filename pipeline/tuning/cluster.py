"""The search on a Ray cluster: workers are threads here, and each lets a task on some node train its trial.

Study and MLflow stay where the search was started; a node gets code and images through Ray and tells the
metrics of each epoch, so that it needs no folder or database of the others.
"""

# Why it is so: docs/decisions/search-on-a-cluster.md
from __future__ import annotations

import json
import logging
import os
import platform
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

import mlflow
import ray
from optuna import Study
from ray.exceptions import RayError, RayTaskError, RuntimeEnvSetupError, TaskUnschedulableError

import digits
import pipeline
from pipeline.project.errors import PipelineError
from pipeline.project.machine import processor
from pipeline.registry import runs
from pipeline.tuning import short_training, trial
from pipeline.tuning.short_training import SCORE, Images, Log, Params
from pipeline.tuning.study import Plan, done, try_lost_again

LOSSES = 3  # of one trial, with the nodes or processes that trained it: then something else is wrong
REACHED = 5.0  # seconds that a cluster has for taking a connection
POLL = 0.5  # seconds after which a worker looks whether the search ends
CODE = [str(Path(package.__path__[0])) for package in (digits, pipeline)]
NO_CODE = ["/default/", "__pycache__/"]  # the model that comes with `digits`

Tags = dict[str, str]
Epoch = tuple[dict[str, float], int]
"""The metrics of an epoch and its number, counted from 1."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be a driver of the cluster at host:port, or of this machine's ("auto"); raises `PipelineError`."""
    _knock(os.environ.get("RAY_ADDRESS", address) if address == "auto" else address)
    at_the_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address,
            runtime_env={"py_modules": CODE, "excludes": NO_CODE},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError, RayError, SystemExit) as error:
        raise PipelineError(f"There is no Ray cluster at {address!r}: {error}") from error
    finally:
        signal.signal(signal.SIGTERM, at_the_end)  # Ray sets one of its own
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise `PipelineError` where nobody listens: Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise PipelineError(f"A cluster's address is auto, or its head's HOST:PORT, and not {address!r}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHED).close()
    except (OSError, OverflowError) as error:
        raise PipelineError(f"No Ray cluster answers at {address}: {error}.") from error


def search(study: Study, plan: Plan, trials: int, jobs: int | None) -> None:
    """Let so many workers (None: as many as there is room for) go on until `trials` are done.

    Raises `PipelineError` where a trial fails, or is lost too often.
    """
    try_lost_again(study)
    left = trials - done(study)
    if left <= 0:
        return
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    if not sum(cores):
        raise PipelineError("The cluster has no core for a trial: `ray start --num-cpus` says how many.")
    workers = min(jobs or sum(cores), sum(cores), left)
    trainer = Trainer(short_training.images(plan.settings, plan.share), threads_for(cores, workers))
    print(
        f"search: {workers} trials at a time, each with {trainer.threads} of {sum(cores)} cores", flush=True
    )
    with ThreadPoolExecutor(workers) as pool:
        try:
            started = [
                pool.submit(trial.work, plan, trials, worker, trainer.train, here=False)
                for worker in range(workers)
            ]
            for one in as_completed(started):
                one.result()
        finally:
            trainer.stop()


def threads_for(cores: Sequence[int], workers: int) -> int:
    """With how many threads each, one at least, `workers` find room at once on nodes of so many cores."""
    fitting = (n for n in range(1, max(cores) + 1) if sum(have // n for have in cores) >= workers)
    return max(fitting, default=1)


class Trainer:
    """Trains on the cluster, for several workers at once."""

    def __init__(self, images: Images, threads: int) -> None:
        self.threads = threads
        self._images = ray.put(images)
        self._stopped = Event()
        self._losses: Counter[str] = Counter()

    def stop(self) -> None:
        """End what still trains: its workers leave with `SystemExit`."""
        self._stopped.set()

    def train(self, params: Params, log: Log) -> float:
        """Train on a node and give the score of the best epoch; raises as `trial.Train` says.

        The open MLflow run gets the node's tags.
        """
        task = train_there.options(num_cpus=self.threads).remote(self._images, params, self.threads)
        best = 0.0
        try:
            for one in self._told(task):
                if isinstance(one, dict):
                    mlflow.set_tags(one)
                else:
                    log(*one)
                    best = max(best, one[0][SCORE])
        except RayTaskError as error:
            if isinstance(error.cause, PipelineError):
                raise error.cause from None
            raise
        except (RuntimeEnvSetupError, TaskUnschedulableError) as error:
            raise PipelineError(f"the cluster cannot train: {error}") from error
        except RayError as error:
            values = json.dumps(params, sort_keys=True)
            self._losses[values] += 1
            if self._losses[values] == LOSSES:
                raise PipelineError(f"was killed {LOSSES} times: is there enough memory?") from error
            raise runs.Killed from error
        finally:
            ray.cancel(task, force=True)  # a pruned one; what has ended does not mind
        return best

    def _told(self, task: ray.ObjectRefGenerator[Any]) -> Iterator[Any]:
        """What the task yields, as soon as it does."""
        while not self._stopped.is_set():
            ready, _ = ray.wait([task], timeout=POLL)
            if ready:
                try:
                    yield ray.get(next(task))
                except StopIteration:
                    return
        sys.exit(trial.INTERRUPTED)


@ray.remote(num_returns="streaming", max_calls=1, max_retries=0)  # a process each, as on one machine
def train_there(images: Images, params: Params, threads: int) -> Iterator[Tags | Epoch]:
    """Train on a node: yields the tags of its run, and each epoch as soon as it is over."""
    node = ray.get_runtime_context().get_node_id()
    yield {runs.PROCESSOR: processor(), runs.NODE: f"{platform.node()} {node[:8]}"}
    short_training.limit_threads(threads)
    told: SimpleQueue[Epoch | None] = SimpleQueue()
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(
            short_training.train, images, params, lambda metrics, epoch: told.put((dict(metrics), epoch))
        )
        training.add_done_callback(lambda _: told.put(None))
        for one in iter(told.get, None):  # noqa: UP028 - Ray uses `send`, which `yield from` would pass on
            yield one
        training.result()
