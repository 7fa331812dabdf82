"""MLflow's record of a run, with everything needed to reproduce it and to compare the results."""

from __future__ import annotations

import ast
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnx
from mlflow import MlflowClient
from mlflow.entities import Run, RunStatus
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from digits.network.model import MANIFEST, Manifest
from pipeline.project.errors import ReproduceError
from pipeline.project.paths import ACCEPTED_POINTER, NAME, PARAMS
from pipeline.registry import runs
from pipeline.registry.metric_names import metric_name
from pipeline.registry.versions import CANDIDATE_FILES

DIRTY = "-dirty"
RESTORED = (str(PARAMS), str(ACCEPTED_POINTER))  # files that every run with `runs.CHANGED` logs as artifacts
SHORT = 8  # characters of a run's id that are shown
NO_FIGURES = ("train/seconds",)  # metrics that are not about the model


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record of a run.

    `commit` is "" if there is none on record. `uncommitted` says whether files other than `RESTORED` differed
    from the commit, and `changed` names them. `data` has the hashes of the data sets, and `weights` the hash
    of the model ("" if there is none). `evaluated` is the commit whose code computed the metrics.
    """

    run_id: str
    name: str
    params: Mapping[str, str]
    figures: Mapping[str, float]
    data: Mapping[str, str]
    weights: str
    commit: str
    uncommitted: bool
    changed: str
    processor: str
    packages: str
    evaluated: str

    @classmethod
    def of(cls, client: MlflowClient, run: Run) -> Recorded:
        """Read the record of a run. A model in another store is downloaded to compute its hash."""
        tags, told = run.data.tags, run.data.tags.get(runs.COMMIT, "")
        changed = tags.get(runs.CHANGED, "")
        others = [name for name in changed.split(", ") if name and name not in RESTORED]
        inputs = run.inputs.dataset_inputs if run.inputs else []
        return cls(
            run_id=run.info.run_id,
            name=run.info.run_name or "",
            params=run.data.params,
            figures=figures(run.data.metrics),
            data={one.dataset.name: one.dataset.digest for one in inputs},
            weights=weights_of(client, run.info.run_id),
            commit=told.removesuffix(DIRTY),
            uncommitted=told.endswith(DIRTY) and (bool(others) or not changed),
            changed=", ".join(others),
            processor=tags.get(runs.PROCESSOR, ""),
            packages=tags.get(runs.PACKAGES, ""),
            evaluated=tags.get(runs.EVALUATED, ""),
        )

    def training(self, committed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the section `train` of params.yaml with the run's parameters, and without resuming.

        MLflow stores parameters as Python literals. Empty groups such as `augment: {}`, which runs do not
        record, are taken from `committed`, the section at the run's commit.
        """
        section = {name: value for name, value in committed.items() if value == {}}
        for name, text in self.params.items():
            *groups, last = name.split(".")
            inner: dict[str, Any] = section
            for group in groups:
                inner = inner.setdefault(group, {})
            inner[last] = _value(text)
        return section | ({"resume": False} if "resume" in committed else {})


def find(client: MlflowClient, wanted: str) -> Run:
    """Return the training with this id, id prefix or name; raises `ReproduceError` unless there is one."""
    experiment = client.get_experiment_by_name(NAME)
    found: list[Run] = []
    token = None
    while experiment:
        page = client.search_runs([experiment.experiment_id], page_token=token)
        found += page
        if not (token := page.token):
            break
    named = [run for run in found if run.info.run_id == wanted]
    named = named or [run for run in found if wanted and run.info.run_id.startswith(wanted)]
    named = named or [run for run in found if run.info.run_name == wanted]
    if not named:
        raise ReproduceError(f"There is no run {wanted!r}. `make mlflow` shows all runs and their ids.")
    if len(named) > 1:
        listed = ", ".join(f"{run.info.run_id[:SHORT]} ({run.info.run_name})" for run in named[:10])
        raise ReproduceError(f"{len(named)} runs match {wanted!r}: {listed}. Choose one by its id.")
    (run,) = named
    if MLFLOW_PARENT_RUN_ID in run.data.tags or any(name.startswith("space.") for name in run.data.params):
        raise ReproduceError(f"{wanted!r} is a search or one of its trials, not a training by the pipeline.")
    if run.info.status != RunStatus.to_string(RunStatus.FINISHED):
        raise ReproduceError(
            f"Run {run.info.run_id[:SHORT]} is {run.info.status.lower()}, so there is no result to compare."
        )
    return run


def figures(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics that a reproduction must match, with their current names."""
    told = {metric_name(name): value for name, value in metrics.items() if not name.startswith("system/")}
    return {name: value for name, value in told.items() if name not in NO_FIGURES}


@contextmanager
def artifact(client: MlflowClient, run_id: str, path: str) -> Iterator[Path | None]:
    """Yield a copy of a file from a run's artifacts; None if there is no such file."""
    above = path.rpartition("/")[0]
    if path not in {one.path for one in client.list_artifacts(run_id, above or None)}:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(
            mlflow.artifacts.download_artifacts(
                run_id=run_id, artifact_path=path, dst_path=folder, tracking_uri=client.tracking_uri
            )
        )


def weights_of(client: MlflowClient, run_id: str) -> str:
    """Return a SHA-256 of the weights of a run's model; "" if it has no model.

    The hash is not of the file, because tf2onnx names and orders its constants differently in each process,
    and now and then leaves an operation on shapes in the graph that it usually folds into a constant.
    """
    with artifact(client, run_id, f"{CANDIDATE_FILES}/{MANIFEST}") as manifest:
        file = Manifest.load(manifest.parent).file if manifest else ""
    with artifact(client, run_id, f"{CANDIDATE_FILES}/{file}") as path:
        return weights_sha256(path) if path else ""


def weights_sha256(path: Path) -> str:
    """Return a SHA-256 of the distinct floating-point tensors of an ONNX file.

    Their names and their order do not matter.
    """
    tensors = [onnx.numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer]
    hashes = {
        hashlib.sha256(f"{one.dtype} {one.shape} ".encode() + one.tobytes()).hexdigest()
        for one in tensors
        if np.issubdtype(one.dtype, np.floating)
    }
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
