"""MLflow's runs: one a training, begun by `train` and reopened by `evaluate`."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import psutil
from mlflow import MlflowClient
from mlflow.data.numpy_dataset import from_numpy
from mlflow.entities import Run, RunStatus
from mlflow.exceptions import MlflowException
from ruamel.yaml import YAML

from pipeline.mnist.dataset import Digits
from pipeline.project.machine import processor
from pipeline.project.params import flat
from pipeline.project.paths import NAME, PROCESSED, artifacts, database, store
from pipeline.registry.relocation import relocate

REPORT = "evaluation"  # a run's artifact folder with what `evaluate` reported
DECISION = "promotion.json"  # how evaluate decided who is champion
REPORTED = (  # what `evaluate` logs of the reports; whatever else lies there is somebody's own
    "metrics.json",
    DECISION,
    "confusion.csv",
    "training.csv",
    "confusion.png",
    "mistakes.png",
    "reliability.png",
    "training.png",
    "samples.png",
    "prototypes.png",
    "negatives.png",
    "spoilt.png",
    "scans.png",
)
PROCESS = "process"  # the tag that says which process works on a run
PROCESSOR = "processor"  # the tag that says what a training ran on
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the latter: an alias, or an empty id


def connect() -> MlflowClient:
    """Point MLflow at the project's store and mark the runs whose process is gone as killed."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    elsewhere = os.environ.get("MLFLOW_TRACKING_URI")
    if not elsewhere:
        store().mkdir(exist_ok=True)
        relocate()
    mlflow.set_tracking_uri(elsewhere or f"sqlite:///{database()}")
    if mlflow.get_experiment_by_name(NAME) is None:
        mlflow.create_experiment(NAME, None if elsewhere else artifacts())
    experiment = mlflow.set_experiment(NAME)
    client = MlflowClient()
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
        if not _is_alive(run):
            client.set_terminated(run.info.run_id, "KILLED")
    return client


def is_absent(error: MlflowException) -> bool:
    """Whether MLflow says that a thing is not there, and not that it cannot tell."""
    return error.error_code in ABSENT


@contextmanager
def training_run(params: Mapping[str, Any]) -> Iterator[str]:
    """A new run with these parameters (nested ones with dots); gives its id."""
    connect()
    with _open_run(params, None) as run_id:
        yield run_id


@contextmanager
def reopened_run(run_id: str, params: Mapping[str, Any]) -> Iterator[tuple[MlflowClient, str]]:
    """The run that `train` began; a new one with `params` where the store does not know it.

    That is so in another clone, or when DVC took the training's output from its cache after the
    store was deleted. Gives a client and the run's id.
    """
    client = connect()
    try:
        known = client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException as error:
        if not is_absent(error):
            raise
        known = False
    with _open_run(params, run_id if known else None) as opened:
        yield client, opened


@contextmanager
def _open_run(params: Mapping[str, Any], run_id: str | None) -> Iterator[str]:
    """A run that ends as finished, killed (Ctrl-C, a signal) or failed."""
    run = mlflow.start_run(run_id, log_system_metrics=run_id is None)
    mlflow.set_tag(PROCESS, _name(psutil.Process()))
    if run_id is None:
        mlflow.log_params(flat(params))
        mlflow.set_tags(git_tags() | {"seed": params["seed"], PROCESSOR: processor()})
    status = RunStatus.FAILED
    try:
        yield run.info.run_id
        status = RunStatus.FINISHED
    except (KeyboardInterrupt, SystemExit):
        status = RunStatus.KILLED
        raise
    finally:
        mlflow.end_run(RunStatus.to_string(status))


def _name(process: psutil.Process) -> str:
    """Host, process and start time: a number alone may be another process by now."""
    return f"{platform.node()} {process.pid} {process.create_time():.0f}"


def _is_alive(run: Run) -> bool:
    told = run.data.tags.get(PROCESS, "").split()
    if len(told) != 3 or told[0] != platform.node():
        return True  # another machine's run: nobody here can tell
    try:
        return _name(psutil.Process(int(told[1]))).split() == told
    except psutil.NoSuchProcess:
        return False


def log_data(splits: Mapping[str, Digits]) -> None:
    """The data sets of the open run: their names, shapes and hashes."""
    for name, digits in splits.items():
        source = str((PROCESSED / f"{name}.npz").resolve())
        digest = digits.sha256()[:16]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two classes of MLflow would do for a path, it says
            data = from_numpy(digits.images, source, digits.labels, name=name, digest=digest)
        mlflow.log_input(data, context=name)


def log_epoch(metrics: Mapping[str, float], epoch: int) -> None:
    """The metrics of one epoch of the open run."""
    mlflow.log_metrics(dict(metrics), step=epoch)


def log_evaluation(figures: Mapping[str, Any], reports: Path) -> None:
    """The report's numbers as metrics, its files as artifacts, and the lock's hash as a tag.

    Pictures lie at the top of the run's artifacts: only there does MLflow's compare page show those of two
    runs side by side.
    """
    mlflow.log_metrics(
        {name: float(value) for name, value in flat(figures).items() if not isinstance(value, tuple)}
    )
    mlflow.set_tags(lock_tags())
    for path in (reports / name for name in REPORTED):
        if path.is_file():
            mlflow.log_artifact(str(path), None if path.suffix == ".png" else REPORT)


def git_tags() -> dict[str, str]:
    """The commit, with "-dirty" where a file that DVC does not write differs; nothing outside git.

    A repository that this folder only lies in, as an unpacked archive may, says nothing of the code here.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != Path.cwd().resolve():
            return {}
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!dvc.lock", ":!reports")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"git_commit": commit + ("-dirty" if changed else "")}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def lock_tags(lock: Path = Path("dvc.lock")) -> dict[str, str]:
    """The hash of what `dvc.lock` says of the train stage; nothing where it says nothing yet."""
    try:
        stage = YAML(typ="safe").load(lock.read_text(encoding="utf-8"))["stages"]["train"]
    except (OSError, KeyError):
        return {}
    return {"dvc_lock_train": hashlib.sha256(json.dumps(stage, sort_keys=True).encode()).hexdigest()}
