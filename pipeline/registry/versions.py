"""The registered model: a version for each evaluated run, one of which is the champion."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from digits.errors import ModelError
from pipeline.project.paths import NAME, store
from pipeline.registry import logged_model
from pipeline.registry.runs import is_absent

CHAMPION = "champion"  # the alias of the version that is served
CANDIDATE_FILES = "candidate"  # a run's artifact folder with manifest, ONNX and Keras files
DESCRIPTION = """Reads a handwritten digit: returns `digit` and `confidence`, or the reason `rejected`.

`mlflow.pyfunc.load_model("models:/digits@champion").predict(pictures)` takes arrays (n, 28, 28), 0 (paper) to
255 (full ink), and image files as bytes. The description of each version is its model card."""


def register(
    client: MlflowClient,
    run_id: str,
    candidate: Path,
    scores: Mapping[str, float],
    example: NDArray[np.uint8],
) -> str:
    """Return the version of the active run's model, which is logged and registered if it was not before.

    `example` (n, 28, 28): a few digits for the model's input example.
    """
    known = version_of(client, run_id)
    if known is not None:
        return str(known.version)
    mlflow.log_artifacts(str(candidate), CANDIDATE_FILES)
    logged = logged_model.log(candidate, example)
    try:
        client.create_registered_model(NAME, description=DESCRIPTION)
    except MlflowException as error:  # the model usually exists, or another machine has just created it
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {name: f"{value:.5f}" for name, value in scores.items()}
    made = client.create_model_version(NAME, logged.model_uri, run_id, tags, model_id=logged.model_id)
    return str(made.version)


def version_of(client: MlflowClient, run_id: str) -> ModelVersion | None:
    """Return the registered version of a run; None if it has none yet."""
    found = client.search_model_versions(f"name = '{NAME}' and run_id = '{run_id}'")
    return found[0] if found else None


def champion_version(client: MlflowClient) -> ModelVersion | None:
    """Return the version with the alias; None if there is none. Raises `MlflowException` if MLflow fails."""
    try:
        return client.get_model_version_by_alias(NAME, CHAMPION)
    except MlflowException as error:
        if not is_absent(error):
            raise
        return None


@contextmanager
def artifacts_of(client: MlflowClient, version: ModelVersion) -> Iterator[Path]:
    """Yield the local folder of the artifacts of a version's run; raises `ModelError` if the run is missing.

    MLflow stores absolute addresses. If such a folder does not exist, only the part after `mlruns/` is used,
    so that a project that was moved or mounted elsewhere still finds its files. Artifacts on a server are
    downloaded, and the downloaded copy is deleted at the end.
    """
    run_id = version.run_id or ""
    try:
        address = urlparse(client.get_run(run_id).info.artifact_uri)
    except MlflowException as error:
        if not is_absent(error):
            raise
        raise ModelError(
            f"The run of version {version.version} is missing. Promote another version."
        ) from error
    if address.scheme in ("", "file"):
        told = Path(unquote(address.path))
        _, _, inside = str(told).rpartition("/mlruns/")
        yield told if told.exists() else store() / inside
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=folder))
