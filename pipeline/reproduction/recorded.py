"""What MLflow has on record of a run: all that it takes to make it again, and to compare the two."""

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
RESTORED = (str(PARAMS), str(ACCEPTED_POINTER))  # what each run that names changed files keeps
SHORT = 8  # characters of a run's id that are shown
NO_FIGURES = ("train/seconds",)  # how long it took says nothing about the model


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as its record tells of it.

    `commit` is "" where none is on record; `uncommitted` whether other files differed from it than those that
    the run kept (`RESTORED`), and `changed` names them. `data` are the hashes of its data sets, `weights`
    that of its model ("": it left none). `evaluated` is the commit whose code made the figures.
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
        """All of it; a model that a run of another store left is downloaded for its hash."""
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
        """The section `train` of params.yaml: the run's parameters, which begin anew; `committed` is another.

        MLflow keeps each as text, as Python writes it. What a section holds and no run records, an empty
        group as `augment: {}`, is as it was committed.
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
    """The training with this id, beginning of an id, or name; raises `ReproduceError` where it is not one."""
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
        raise ReproduceError(f"There is no run {wanted!r}: `make mlflow` shows all with their ids and names.")
    if len(named) > 1:
        listed = ", ".join(f"{run.info.run_id[:SHORT]} ({run.info.run_name})" for run in named[:10])
        raise ReproduceError(f"{len(named)} runs go by {wanted!r}: {listed}. Name one by its id.")
    (run,) = named
    if MLFLOW_PARENT_RUN_ID in run.data.tags or any(name.startswith("space.") for name in run.data.params):
        raise ReproduceError(f"{wanted!r} is a search or a trial of one, and no training by the pipeline.")
    if run.info.status != RunStatus.to_string(RunStatus.FINISHED):
        raise ReproduceError(
            f"Run {run.info.run_id[:SHORT]} is {run.info.status.lower()} and has no result to compare with."
        )
    return run


def figures(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that a run made again has to have too, under the names of today."""
    told = {metric_name(name): value for name, value in metrics.items() if not name.startswith("system/")}
    return {name: value for name, value in told.items() if name not in NO_FIGURES}


@contextmanager
def artifact(client: MlflowClient, run_id: str, path: str) -> Iterator[Path | None]:
    """A copy of a file among a run's artifacts; None where there is none."""
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
    """A SHA-256 over all tensors of the model that a run left; "" where it left none.

    Not of the file: tf2onnx names and orders its constants differently in each process.
    """
    with artifact(client, run_id, f"{CANDIDATE_FILES}/{MANIFEST}") as manifest:
        file = Manifest.load(manifest.parent).file if manifest else ""
    with artifact(client, run_id, f"{CANDIDATE_FILES}/{file}") as path:
        return tensors_sha256(path) if path else ""


def tensors_sha256(path: Path) -> str:
    """A SHA-256 over the different tensors of an ONNX file, whatever they are called and in any order."""
    tensors = [onnx.numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer]
    hashes = {
        hashlib.sha256(f"{one.dtype} {one.shape} ".encode() + one.tobytes()).hexdigest() for one in tensors
    }
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
