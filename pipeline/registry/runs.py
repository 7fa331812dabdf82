"""MLflow's runs: one a training, begun by `train` and reopened by `evaluate`."""

# Why it is so: docs/decisions/mlflow.md
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
from pipeline.registry.damage import in_a_sentence, require_whole
from pipeline.registry.relocation import relocate
from pipeline.registry.run_names import name_of

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
PACKAGES = "packages"  # the tag that says with which versions of what it calculated
COMMIT = "git_commit"  # the tag with the commit, and "-dirty" where files differed from it
CHANGED = "git_changed"  # the tag with those files
EVALUATED = "evaluated_git_commit"  # the tag with the commit whose code made the figures
INPUTS = "inputs"  # a run's artifact folder with params.yaml, and what DVC knew of accepted feedback
NODE = "node"  # the tag that says which node of a cluster that was, where there is one
EXPERIMENT = "dvc_exp_name"  # the tag with the name that `dvc exp run` gave, where one did
NO_PARAMETERS = ("resume",)  # of the section `train`: changes no weight, and each run has the same keys
QUIET = {  # what MLflow says with a server: a bar for each download, two addresses for each look at a run
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
LONGEST_TAG = 5000  # characters of a tag's value: MLflow's column holds 8,000
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the latter: an alias, or an empty id


_OUTLIVED: ContextVar[bool] = ContextVar("outlived", default=False)
"""Whether what is done now goes on where its run can no longer be written."""


class Killed(Exception):
    """Raised while a run is open: what worked on it, on another machine, was killed."""


@in_a_sentence()
def connect() -> MlflowClient:
    """Point MLflow at the project's store or the team's server; runs whose process is gone become killed.

    Raises `StoreError` where that server cannot be used, `RegistryError` where the project's own database is
    damaged, locked or lost, or its folder cannot be written.
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
        relocate()  # not before: a container may have made the experiment a moment ago
    experiment = mlflow.set_experiment(NAME)
    client = MlflowClient()
    for run in client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
        if not _is_alive(run):
            client.set_terminated(run.info.run_id, "KILLED")
    return client


def be_quiet() -> None:
    """Keep MLflow from telling what it does."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # traces of what it raises as well
    os.environ.update(QUIET)


def is_absent(error: MlflowException) -> bool:
    """Whether MLflow says that a thing is not there, and not that it cannot tell."""
    return error.error_code in ABSENT


@contextmanager
def training_run(params: Mapping[str, Any]) -> Iterator[str]:
    """A new run with these parameters (nested ones with dots), named after them; gives its id.

    A training outlives its run: where the registry cannot be opened (the id is "" then), or fails later, that
    is said once, nothing more is logged, and the training goes on. `evaluate` registers what came of it.
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
    """A new run of a search, which ends where its run cannot be written; gives its id.

    Where another machine trains, and not this one `here`, the load of this one is none of the run's metrics.
    """
    connect()
    with _open_run(params, None, measured=here) as run_id:
        yield run_id


@contextmanager
def _outlived() -> Iterator[None]:
    """Where the registry fails in this block of a training, say so and give up its run; else raise."""
    try:
        with in_a_sentence():
            yield
    except RegistryError as error:
        if not _OUTLIVED.get():
            raise
        print(f"{error} The training goes on without MLflow.", flush=True)
        with suppress(Exception):  # whatever that raises, the run is no longer the active one
            mlflow.end_run(RunStatus.to_string(RunStatus.FAILED))


@contextmanager
def reopened_run(
    run_id: str, params: Mapping[str, Any], *, goes_on: bool = False
) -> Iterator[tuple[MlflowClient, str]]:
    """The run that `train` began; a new one with `params` where the store does not know it.

    That is so in another clone, or when DVC took the training's output from its cache after the
    store was deleted. Gives a client and the run's id. The run keeps the moment at which it ended before, so
    that its duration stays the training's; with `goes_on`, what is done now is a part of it.
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
    """A run that ends as finished, killed (Ctrl-C, a signal) or failed; `measured` with a new one's load."""
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
    """A name for a run with these parameters that no run of the experiment has."""
    client = MlflowClient()
    experiment = client.get_experiment_by_name(NAME)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    return name_of(params, {run.info.run_name for run in runs})


def _name(process: psutil.Process) -> str:
    """Host, process and start time: a number alone may be another process by now."""
    return f"{_host()} {process.pid} {process.create_time():.0f}"


def _host() -> str:
    """This machine; for a server, to which several of one name may report, this checkout on it."""
    shared = server.is_server(mlflow.get_tracking_uri())
    return f"{platform.node()}:{server.checkout()}" if shared else platform.node()


def _is_alive(run: Run) -> bool:
    told = run.data.tags.get(PROCESS, "").split()
    if len(told) != 3 or told[0] != _host():
        return True  # another machine's run: nobody here can tell
    try:
        return _name(psutil.Process(int(told[1]))).split() == told
    except psutil.NoSuchProcess:
        return False


def log_data(splits: Mapping[str, Digits]) -> None:
    """The data sets of the open run: their names, shapes and hashes."""
    with _outlived():
        _log_data(splits)


def _log_data(splits: Mapping[str, Digits]) -> None:
    for name, digits in splits.items() if mlflow.active_run() else ():
        source = str((PROCESSED / f"{name}.npz").resolve())
        digest = digits.sha256()[:16]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two classes of MLflow would do for a path, it says
            data = from_numpy(digits.images, source, digits.labels, name=name, digest=digest)
        mlflow.log_input(data, context=name)


def log_epoch(metrics: Mapping[str, float], epoch: int) -> None:
    """The metrics of one epoch of the open run, at once: its curves can be watched while it trains."""
    active = mlflow.active_run()
    if active is None:  # the training has outlived it
        return
    with _outlived():
        mlflow.log_metrics(metric_names.epoch_metrics(metrics), step=epoch)
    records.keep_run(active.info.run_id)


def log_evaluation(figures: Mapping[str, Any], reports: Path) -> None:
    """The report's numbers as metrics, its files as artifacts, and the lock's hash as a tag.

    The metrics are those of the run's model too, on the run's data sets: scores on `validation`, all others
    on `test`. Pictures lie at the top of the run's artifacts: only there does MLflow's compare page show
    those of two runs side by side.
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
    """The epochs of a training's table that the open run does not hold: those that outlived it, or all."""
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
    """Metrics of the open run, and of the model that it logged last."""
    active = mlflow.active_run()
    if active is None:
        raise RuntimeError("No run is open.")
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
    """The name of the DVC experiment that runs this stage; nothing outside `dvc exp run`."""
    name = os.environ.get("DVC_EXP_NAME")
    return {EXPERIMENT: name} if name else {}


def git_tags() -> dict[str, str]:
    """The commit, with "-dirty" where files that DVC does not write differ, and these; nothing outside git.

    A repository that this folder only lies in, as an unpacked archive may, says nothing of the code here.
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
    """The hash of what `dvc.lock` says of the train stage; nothing where it says nothing yet."""
    try:
        stage = YAML(typ="safe").load(lock.read_text(encoding="utf-8"))["stages"]["train"]
    except (OSError, KeyError):
        return {}
    return {"dvc_lock_train": hashlib.sha256(json.dumps(stage, sort_keys=True).encode()).hexdigest()}
