"""The registry's alias `champion`, and its model as the files that are served."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from digits.errors import ModelError
from digits.network.model import MANIFEST, Manifest, Model
from digits.reader import CARD
from pipeline.project.files import locked, write_bytes, write_text
from pipeline.project.paths import NAME, champion
from pipeline.registry import cards, runs, versions


def promote(client: MlflowClient, version: str) -> Manifest:
    """Make a registered version the champion: the alias first, since `sync` can finish the rest.

    Raises `ModelError` where the version or its files are not there; nothing is changed then.
    """
    try:
        chosen = client.get_model_version(NAME, version)
    except MlflowException as error:
        raise ModelError(f"There is no version {version} of the model: {error}") from error
    with _loadable(client, chosen) as source, _alone():
        client.set_registered_model_alias(NAME, versions.CHAMPION, version)
        return _write(chosen, source, champion())


def sync(client: MlflowClient) -> Manifest | None:
    """Write the files of the version that carries the alias, where they differ; None without one."""
    with _alone():
        chosen = versions.champion_version(client)
        if chosen is None:
            return None
        try:
            served = Model.load(champion()).manifest
        except ModelError:
            served = None
        if served is not None and served.version == str(chosen.version) and served.run_id == chosen.run_id:
            return served
        with _loadable(client, chosen) as source:
            return _write(chosen, source, champion())


def _alone() -> AbstractContextManager[None]:
    """Wait until no other process changes the champion: alias and files would else come apart."""
    return locked(champion().with_name(".champion.lock"))


@contextmanager
def _loadable(client: MlflowClient, version: ModelVersion) -> Iterator[Path]:
    """The folder of a version's files, known to load."""
    with versions.artifacts_of(client, version) as artifacts:
        folder = artifacts / versions.CANDIDATE_FILES
        Model.load(folder)
        yield folder


def _write(version: ModelVersion, source: Path, target: Path) -> Manifest:
    """The ONNX file under its hash, the card, then the manifest: its rename is the moment of the change."""
    manifest = Manifest.load(source)
    name = f"{manifest.sha256}.onnx"
    write_bytes(target / name, (source / manifest.file).read_bytes())
    done = replace(
        manifest,
        file=name,
        version=str(version.version),
        run_id=version.run_id or "",
        metrics=manifest.metrics | _measured(source.parent / runs.REPORT / "metrics.json"),
    )
    previous = _file_of(target)
    cards.copy(source.parent, target)
    write_text(target / MANIFEST, json.dumps(done.as_dict(), indent=2) + "\n")
    for old in target.glob("*.onnx"):
        if old.name not in (name, previous):  # a service may be about to open the previous one
            old.unlink()
    for written in (MANIFEST, CARD):
        for left in target.glob(f".*.{written}"):  # by a process that was killed
            left.unlink()
    return done


def _file_of(folder: Path) -> str | None:
    try:
        return Manifest.load(folder).file
    except ModelError:
        return None


def _measured(path: Path) -> dict[str, float]:
    """The plain numbers of a run's report; none where it was never evaluated."""
    if not path.exists():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in values.items() if type(value) in (int, float)}
