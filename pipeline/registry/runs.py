"""MLflow's runs: one per training, which `train` starts and `evaluate` reopens."""

# See docs/decisions/mlflow.md.
from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import platform
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
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
from pipeline.project.env_file import tracking_uri
from pipeline.project.errors import RegistryError
from pipeline.project.machine import packages, processor
from pipeline.project.params import flat
from pipeline.project.paths import ACCEPTED_POINTER, CURVES, NAME, PARAMS, PROCESSED, artifacts, store
from pipeline.registry import metric_names, records, server
from pipeline.registry.damage import as_registry_error, require_whole
from pipeline.registry.relocation import relocate
from pipeline.registry.run_names import name_of

REPORT = "evaluation"  # a run's artifact folder with the report of `evaluate`
DECISION = "promotion.json"  # the promotion decision of `evaluate`
REPORTED = (  # the files in reports/ that `evaluate` logs; others belong to the user
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
PROCESS = "process"  # tag: the process that works on a run
PROCESSOR = "processor"  # tag: the processor of the training
PACKAGES = "packages"  # tag: the versions of the numerical packages
COMMIT = "git_commit"  # tag: the commit, with "-dirty" if files differed from it
CHANGED = "git_changed"  # tag: those files
EVALUATED = "evaluated_git_commit"  # tag: the commit whose code computed the metrics
INPUTS = "inputs"  # a run's artifact folder with params.yaml and DVC's pointer to accepted feedback
NODE = "node"  # tag: the node of a cluster, if the training ran on one
EXPERIMENT = "dvc_exp_name"  # tag: the name from `dvc exp run`, if it ran the training
NO_PARAMETERS = ("resume",)  # entries of the section `train` that do not affect the weights
QUIET = {  # disables progress bars of downloads, and the URLs printed for each run on a server
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
LONGEST_TAG = 5000  # characters of a tag's value; MLflow's limit is 8,000
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the latter for an alias or an empty id


_OUTLIVED: ContextVar[bool] = ContextVar("outlived", default=False)
"""Whether the current work continues without MLflow if its run can no longer be written."""


class Killed(Exception):
    """Raised while a run is open, if the process that worked on it on another machine was killed."""


@as_registry_error()
def connect() -> MlflowClient:
    """Connect MLflow to the project's store or the team's server, and mark runs of dead processes as killed.

    Raises `StoreError` if the server cannot be used, and `RegistryError` if the project's own database is
    damaged, locked or missing, or if its folder cannot be written.
    """
    be_quiet()
    elsewhere = tracking_uri() if server.is_elsewhere() else ""
    if not elsewhere:
        store().mkdir(exist_ok=True)
        require_whole()
    else:
        server.require(elsewhere)
    mlflow.set_tracking_uri(elsewhere or server.own())
    if not elsewhere:
        if mlflow.get_experiment_by_name(NAME) is None:
            mlflow.create_experiment(NAME, artifacts())
        relocate()  # only now, because a container may have created the experiment a moment ago
    experiment = mlflow.set_experiment(NAME)
    client = MlflowClient()
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
        if not _is_alive(run):
            client.set_terminated(run.info.run_id, "KILLED")
    return client


def be_quiet() -> None:
    """Reduce MLflow's logging to warnings."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # logs what it also raises
    os.environ.update(QUIET)


def is_absent(error: MlflowException) -> bool:
    """Whether MLflow's error means that something does not exist, and not that the request failed."""
    return error.error_code in ABSENT


@contextmanager
def training_run(params: Mapping[str, Any]) -> Iterator[str]:
    """Start a run with these parameters (nested ones with dots) and a name made of them; yields its id.

    A training continues without MLflow if the registry cannot be opened (the id is then "") or fails later.
    The problem is reported once, and nothing more is logged. `evaluate` then registers the result.
    """
    before = _OUTLIVED.set(True)
    try:
        with ExitStack() as opened:
            run_id = ""
            with _outlived():
                connect()
                run_id = opened.enter_context(_open_run(params, None))
            yield run_id
    finally:
        _OUTLIVED.reset(before)


@contextmanager
def trial_run(params: Mapping[str, Any], *, here: bool = True) -> Iterator[str]:
    """Start a run of a search and yield its id. The search fails if the run cannot be written.

    `here`: whether this machine trains. Otherwise its system metrics are not logged.
    """
    connect()
    with _open_run(params, None, measured=here) as run_id:
        yield run_id


@contextmanager
def _outlived() -> Iterator[None]:
    """If the registry fails in this block of a training, report it and abandon the run; otherwise raise."""
    try:
        with as_registry_error():
            yield
    except RegistryError as error:
        if not _OUTLIVED.get():
            raise
        print(f"{error} The training continues without MLflow.", flush=True)
        with suppress(Exception):  # even if this fails, the run is no longer active
            mlflow.end_run(RunStatus.to_string(RunStatus.FAILED))


@contextmanager
def reopened_run(
    run_id: str, params: Mapping[str, Any], *, goes_on: bool = False
) -> Iterator[tuple[MlflowClient, str]]:
    """Reopen the run that `train` started, or start one with `params` if the store does not have it.

    The run is missing in another clone, or if DVC took the training's output from its cache after the store
    was deleted. Yields a client and the run's id. The run keeps its earlier end time, so that its duration
    stays that of the training, unless `goes_on` is set.
    """
    client = connect()
    known = _known(client, run_id)
    ended = known.info.end_time if known and not goes_on else None
    try:
        with _open_run(params, run_id if known else None) as opened:
            yield client, opened
    finally:
        if ended is not None:
            client.set_terminated(run_id, client.get_run(run_id).info.status, ended)
            records.keep_run(run_id)


def _known(client: MlflowClient, run_id: str) -> Run | None:
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if not is_absent(error):
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


@contextmanager
def _open_run(params: Mapping[str, Any], run_id: str | None, *, measured: bool = True) -> Iterator[str]:
    """Open a run that ends as finished, killed (Ctrl-C or a signal) or failed.

    `measured`: log the system metrics of a new run.
    """
    name = None if run_id else _new_name(params)
    run = mlflow.start_run(run_id, run_name=name, log_system_metrics=measured and run_id is None)
    mlflow.set_tag(PROCESS, _name(psutil.Process()))
    if run_id is None:
        mlflow.log_params({name: value for name, value in flat(params).items() if name not in NO_PARAMETERS})
        mlflow.set_tags(git_tags() | experiment_tags() | {PROCESSOR: processor(), PACKAGES: packages()})
        for path in (PARAMS, ACCEPTED_POINTER):
            if path.is_file():
                mlflow.log_artifact(str(path), INPUTS)
        records.keep_run(run.info.run_id)
    status = RunStatus.FAILED
    try:
        yield run.info.run_id
        status = RunStatus.FINISHED
    except (KeyboardInterrupt, SystemExit, Killed):
        status = RunStatus.KILLED
        raise
    finally:
        with _outlived():
            mlflow.end_run(RunStatus.to_string(status))
        records.keep_run(run.info.run_id)


def _new_name(params: Mapping[str, Any]) -> str:
    """Return an unused name for a run with these parameters."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name(NAME)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    return name_of(params, {run.info.run_name for run in runs})


def _name(process: psutil.Process) -> str:
    """Return host, process id and start time, because ids are reused."""
    return f"{_host()} {process.pid} {process.create_time():.0f}"


def _host() -> str:
    """Return this machine's name; for a server, with the checkout's id, as its clients may share names."""
    shared = server.is_server(mlflow.get_tracking_uri())
    return f"{platform.node()}:{server.checkout()}" if shared else platform.node()


def _is_alive(run: Run) -> bool:
    told = run.data.tags.get(PROCESS, "").split()
    if len(told) != 3 or told[0] != _host():
        return True  # another machine's run, which cannot be checked here
    try:
        return _name(psutil.Process(int(told[1]))).split() == told
    except psutil.NoSuchProcess:
        return False


def log_data(splits: Mapping[str, Digits]) -> None:
    """Log names, shapes and hashes of the active run's data sets."""
    with _outlived():
        _log_data(splits)


def _log_data(splits: Mapping[str, Digits]) -> None:
    for name, digits in splits.items() if mlflow.active_run() else ():
        source = str((PROCESSED / f"{name}.npz").resolve())
        digest = digits.sha256()[:16]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow warns that two of its classes accept a path
            data = from_numpy(digits.images, source, digits.labels, name=name, digest=digest)
        mlflow.log_input(data, context=name)


def log_epoch(metrics: Mapping[str, float], epoch: int) -> None:
    """Log the metrics of one epoch immediately, so that the curves can be watched during training."""
    active = mlflow.active_run()
    if active is None:  # the training continues without MLflow
        return
    with _outlived():
        mlflow.log_metrics(metric_names.epoch_metrics(metrics), step=epoch)
    records.keep_run(active.info.run_id)


def log_evaluation(figures: Mapping[str, Any], reports: Path) -> None:
    """Log the report's numbers as metrics, its files as artifacts, and the hash of dvc.lock as a tag.

    The metrics are also logged for the run's model and data sets: scores on `validation`, training metrics on
    none, and all others on `test`. Pictures are logged at the top level of the artifacts, because MLflow's
    comparison page shows only those side by side.
    """
    _log_missed_epochs(reports / CURVES)
    _log_measured(metric_names.evaluation_metrics(figures))
    weights = {"weights": f"{figures['parameters']:.0f}"} if "parameters" in figures else {}
    commit = git_tags().get(COMMIT)
    mlflow.set_tags(lock_tags() | weights | ({EVALUATED: commit} if commit else {}))
    for path in (reports / name for name in REPORTED):
        if path.is_file():
            mlflow.log_artifact(str(path), None if path.suffix == ".png" else REPORT)


def _log_missed_epochs(curves: Path) -> None:
    """Log the epochs of a training that are missing in the active run, because it was abandoned or is new."""
    active = mlflow.active_run()
    if active is None or not curves.is_file():
        return
    with curves.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    history = MlflowClient().get_metric_history(active.info.run_id, metric_names.EPOCH["loss"])
    known = {str(one.step) for one in history}
    for row in rows:
        if (epoch := row.pop("epoch", "")) and epoch not in known:
            log_epoch({name: float(value) for name, value in row.items()}, int(epoch))


def _log_measured(metrics: Mapping[str, float]) -> None:
    """Log metrics of the active run, and of the model that it logged last."""
    active = mlflow.active_run()
    if active is None:
        raise RuntimeError("There is no active run.")
    run = mlflow.get_run(active.info.run_id)
    models = run.outputs.model_outputs if run.outputs else []
    model_id = models[-1].model_id if models else None
    inputs = run.inputs.dataset_inputs if run.inputs else []
    data = {one.dataset.name: one.dataset for one in inputs}
    parts: dict[str | None, dict[str, float]] = {"validation": {}, "test": {}, None: {}}
    for name, value in metrics.items():
        group = name.partition("/")[0]
        parts[{"score": "validation", "train": None}.get(group, "test")][name] = value
    for on, part in parts.items():
        if part:
            mlflow.log_metrics(part, model_id=model_id if on else None, dataset=data.get(on or ""))


def experiment_tags() -> dict[str, str]:
    """Return the tag with the name of the DVC experiment; {} outside `dvc exp run`."""
    name = os.environ.get("DVC_EXP_NAME")
    return {EXPERIMENT: name} if name else {}


def git_tags() -> dict[str, str]:
    """Return tags with the commit, "-dirty" if files that DVC does not write differ, and those files.

    The tags are empty outside git. They are also empty if this folder is only inside another project's
    repository, as an unpacked archive may be.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != Path.cwd().resolve():
            return {}
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!dvc.lock", ":!reports")
    except (OSError, subprocess.CalledProcessError):
        return {}
    if not changed:
        return {COMMIT: commit}
    files = sorted(line.split(maxsplit=1)[1] for line in changed.splitlines())
    return {COMMIT: f"{commit}-dirty", CHANGED: ", ".join(files)[:LONGEST_TAG]}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def lock_tags(lock: Path = Path("dvc.lock")) -> dict[str, str]:
    """Return a tag with the hash of the train stage in `dvc.lock`; {} if the stage is not in there yet."""
    try:
        stage = YAML(typ="safe").load(lock.read_text(encoding="utf-8"))["stages"]["train"]
    except (OSError, KeyError):
        return {}
    return {"dvc_lock_train": hashlib.sha256(json.dumps(stage, sort_keys=True).encode()).hexdigest()}
