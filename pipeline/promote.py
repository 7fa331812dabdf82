"""The registry's alias `champion`, and its model as the files that are served.

`python -m pipeline.promote VERSION` makes a registered version the champion (a roll-back too);
`python -m pipeline.promote --sync` writes the files of the present one anew.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from digits.errors import ModelError
from digits.model import MANIFEST, Manifest, Model
from pipeline import registry, tracking
from pipeline.project import NAME, champion, write_text


def promote(client: MlflowClient, version: str) -> Manifest:
    """Make a registered version the champion: the alias first, since `sync` can finish the rest.

    Raises `ModelError` where the version or its files are not there; nothing is changed then.
    """
    try:
        chosen = client.get_model_version(NAME, version)
    except MlflowException as error:
        raise ModelError(f"There is no version {version} of the model: {error}") from error
    with _loadable(client, chosen) as source, _alone():
        client.set_registered_model_alias(NAME, registry.CHAMPION, version)
        return _write(chosen, source, champion())


def sync(client: MlflowClient) -> Manifest | None:
    """Write the files of the version that carries the alias, where they differ; None without one."""
    with _alone():
        chosen = registry.champion_version(client)
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


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process changes the champion: alias and files would else come apart."""
    path = champion().with_name(".champion.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:  # the lock ends with the file, so also with a killed process
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _loadable(client: MlflowClient, version: ModelVersion) -> Iterator[Path]:
    """The folder of a version's files, known to load."""
    with registry.artifacts_of(client, version) as artifacts:
        folder = artifacts / registry.CANDIDATE_FILES
        Model.load(folder)
        yield folder


def _write(version: ModelVersion, source: Path, target: Path) -> Manifest:
    """The ONNX file under its hash, then the manifest: its rename is the moment of the change."""
    manifest = Manifest.load(source)
    name = f"{manifest.sha256}.onnx"
    target.mkdir(parents=True, exist_ok=True)
    temporary = target / f".{name}.{os.getpid()}"
    temporary.write_bytes((source / manifest.file).read_bytes())
    temporary.replace(target / name)
    done = replace(
        manifest,
        file=name,
        version=str(version.version),
        run_id=version.run_id or "",
        metrics=manifest.metrics | _measured(source.parent / tracking.REPORT / "metrics.json"),
    )
    previous = _file_of(target)
    write_text(target / MANIFEST, json.dumps(done.as_dict(), indent=2) + "\n")
    for old in target.glob("*.onnx"):
        if old.name not in (name, previous):  # a service may be about to open the previous one
            old.unlink()
    for left in (*target.glob(".*.onnx.*"), *target.glob(f".{MANIFEST}.*")):  # by a process that was killed
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.promote", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("version", nargs="?", metavar="VERSION", help="a version of the registered model")
    what.add_argument("--sync", action="store_true", help="write the champion's files from the registry")
    options = parser.parse_args()
    try:
        client = tracking.connect()
        served = sync(client) if options.sync else promote(client, options.version)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    if served is None:
        print("No version is the champion yet: `make repro` makes one.", file=sys.stderr)
        return 1
    print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
