"""MLflow: one run a training, begun by `train` and reopened by `evaluate`, and the registered model."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import mlflow
import mlflow.onnx
import numpy as np
import onnx
import psutil
from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from ruamel.yaml import YAML

from digits.ink import FIELD
from digits.model import CLASSES, Manifest
from pipeline.project import root

NAME = "digits"  # of the experiment and of the registered model
CHAMPION = "champion"  # the alias of the version that is served
CANDIDATE_FILES = "candidate"  # the run's artifact folder with manifest, ONNX and Keras files
METRICS_FILE = "evaluation/metrics.json"  # in the run's artifacts
SIGNATURE = ModelSignature(
    inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, FIELD, FIELD, 1), "ink")]),
    outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, CLASSES))]),
)
PROCESS = "digits.process"  # the tag that says which process works on a run


def store() -> Path:
    """The folder of the database and the artifacts."""
    return root() / "mlruns"


def connect() -> MlflowClient:
    """Point MLflow at the project's store and mark the runs whose process is gone as killed."""
    local = f"sqlite:///{store() / 'mlflow.db'}"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or local
    store().mkdir(exist_ok=True)
    mlflow.set_tracking_uri(uri)
    if mlflow.get_experiment_by_name(NAME) is None:
        mlflow.create_experiment(NAME, (store() / "artifacts").as_uri() if uri == local else None)
    experiment = mlflow.set_experiment(NAME)
    client = MlflowClient()
    _mark_killed(client, experiment.experiment_id)
    return client


@contextmanager
def training_run(params: Mapping[str, Any]) -> Iterator[str]:
    """A new run with these parameters (nested ones with dots); gives its id."""
    connect()
    with _open_run(log_system_metrics=True) as run_id:
        mlflow.log_params(flat(params))
        mlflow.set_tags(git_tags())
        yield run_id


@contextmanager
def reopened_run(run_id: str, params: Mapping[str, Any]) -> Iterator[str]:
    """The run that `train` began; a new one with `params` where the store does not know it.

    That is so in another clone, or when DVC took the training's output from its cache after the
    store was deleted.
    """
    client = connect()
    try:
        known = client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException:
        known = False
    with _open_run(run_id=run_id if known else None) as opened:
        if not known:
            mlflow.log_params(flat(params))
            mlflow.set_tags(git_tags())
        yield opened


@contextmanager
def _open_run(**how: Any) -> Iterator[str]:
    """A run that ends as finished, killed (Ctrl-C, a signal) or failed."""
    run = mlflow.start_run(**how)
    mlflow.set_tag(PROCESS, _this_process())
    status = RunStatus.FAILED
    try:
        yield run.info.run_id
        status = RunStatus.FINISHED
    except (KeyboardInterrupt, SystemExit):
        status = RunStatus.KILLED
        raise
    finally:
        mlflow.end_run(RunStatus.to_string(status))


def _this_process() -> str:
    return _process_name(psutil.Process())


def _process_name(process: psutil.Process) -> str:
    """Host, process and start time: a number alone may be another process by now."""
    return f"{platform.node()} {process.pid} {process.create_time():.0f}"


def _mark_killed(client: MlflowClient, experiment_id: str) -> None:
    """Runs of this machine that are said to go on but have no process any more were killed."""
    running = client.search_runs([experiment_id], "attributes.status = 'RUNNING'")
    for run in running:
        if not _is_alive(run):
            client.set_terminated(run.info.run_id, "KILLED")


def _is_alive(run: Run) -> bool:
    host, _, rest = run.data.tags.get(PROCESS, "").partition(" ")
    if host != platform.node():
        return True  # another machine's run: nobody here can tell
    try:
        return _process_name(psutil.Process(int(rest.split()[0]))) == run.data.tags[PROCESS]
    except psutil.NoSuchProcess:
        return False


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters with dotted names: {"a": {"b": 1}} becomes {"a.b": 1}."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def git_tags() -> dict[str, str]:
    """The commit, with "-dirty" where a file that DVC does not write differs; nothing outside git."""
    try:
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


def log_epoch(metrics: Mapping[str, float], epoch: int) -> None:
    """The metrics of one epoch of the open run."""
    mlflow.log_metrics(dict(metrics), step=epoch)


def log_evaluation(figures: Mapping[str, Any], reports: Path) -> None:
    """The report's numbers as metrics, its files as artifacts, and the lock's hash as a tag."""
    numbers = {name: float(value) for name, value in flat(figures).items()}
    mlflow.log_metrics(numbers)
    mlflow.set_tags(lock_tags())
    mlflow.log_artifacts(str(reports), "evaluation")


def registered(client: MlflowClient, run_id: str, candidate: Path) -> str:
    """The version of the run's model, registered with its files if it was not before."""
    known = version_of(client, run_id)
    if known is not None:
        return str(known.version)
    mlflow.log_artifacts(str(candidate), CANDIDATE_FILES)
    manifest = Manifest.load(candidate)
    model = mlflow.onnx.log_model(
        onnx.load(candidate / manifest.file),
        name="onnx",
        signature=SIGNATURE,
        pip_requirements=["onnxruntime", "numpy"],
    )
    version = mlflow.register_model(model.model_uri, NAME)
    return str(version.version)


def version_of(client: MlflowClient, run_id: str) -> ModelVersion | None:
    """The registered version of a run, None where it has none yet."""
    found = client.search_model_versions(f"name = '{NAME}' and run_id = '{run_id}'")
    return found[0] if found else None


def champion_version(client: MlflowClient) -> ModelVersion | None:
    """The version that carries the alias, None where none does."""
    try:
        return client.get_model_version_by_alias(NAME, CHAMPION)
    except MlflowException:
        return None


def artifacts_of(client: MlflowClient, run_id: str, folder: str) -> Path:
    """A folder of a run's artifacts on this disk, in the store as it lies now.

    MLflow stores absolute addresses; only what follows `mlruns/` is taken of them, so that a project
    that was moved or mounted elsewhere still finds its files. A server's artifacts are downloaded.
    """
    address = urlparse(client.get_run(run_id).info.artifact_uri)
    if address.scheme not in ("", "file"):
        return Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=folder))
    _, _, inside = unquote(address.path).rpartition("/mlruns/")
    return store() / inside / folder
