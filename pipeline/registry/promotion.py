"""Change the champion: the registry's alias, and the model files that are served."""

# See docs/decisions/champion.md.
from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from digits.errors import ModelError
from digits.network.model import MANIFEST, Manifest, Model
from pipeline.mnist import accepted
from pipeline.project.errors import OvertakenError
from pipeline.project.files import locked, write_bytes, write_text
from pipeline.project.paths import NAME, champion
from pipeline.registry import cards, history, records, runs, versions
from pipeline.registry.runs import is_absent


def promote(
    client: MlflowClient, version: str, reason: str, by: str, instead_of: str | None = None
) -> Manifest:
    """Make a registered version the champion; `reason` and the command `by` are recorded in the history.

    The alias moves first, since `sync` can finish the rest. Raises `ModelError` if the version or its files
    are missing, and `OvertakenError` if the champion is not `instead_of` ("": no champion, None: any
    champion). In both cases nothing is changed. Also raises `OvertakenError` if another machine moves the
    alias at the same time. Then that machine's version is the champion, and both changes are recorded.
    """
    with _alone():
        if instead_of is not None:
            _require_champion(client, instead_of)
        chosen = _registered(client, version)
        with _loadable(client, chosen) as source:
            return _change(client, chosen, source, history.PROMOTION, reason, by)


@dataclass(frozen=True, slots=True)
class Rollback:
    """The result of a rollback: the manifest that is served now, and why versions were skipped."""

    served: Manifest
    skipped: list[str]


def rollback(client: MlflowClient, by: str) -> Rollback:
    """Make the previous champion the champion again; further calls go further back.

    Versions whose files are missing are skipped. Raises `ModelError` and changes nothing if there is no
    version to return to.
    """
    with _alone():
        present = _record_missing_change(client, versions.champion_version(client), by)
        if not present:
            raise ModelError("There is no champion yet, so there is nothing to roll back.")
        skipped: list[str] = []
        *earlier, _ = history.stack(history.changes(client))
        for version in reversed(earlier):
            if version == present:
                continue
            with ExitStack() as files:
                try:
                    chosen = _registered(client, version)
                    source = files.enter_context(_loadable(client, chosen))
                except ModelError as error:
                    skipped.append(f"Version {version} is skipped. {error}")
                    continue
                reason = f"version {present} was rolled back"
                return Rollback(_change(client, chosen, source, history.ROLLBACK, reason, by), skipped)
        raise ModelError("\n".join([*skipped, f"There is no version before {present} to return to."]))


def sync(client: MlflowClient, by: str = "sync") -> Manifest | None:
    """Update the served files to the version with the alias; None if there is no champion.

    If the latest change is missing from the history, because the alias was moved elsewhere or a command was
    killed, it is recorded.
    """
    with _alone():
        chosen = versions.champion_version(client)
        if chosen is None:
            return None
        try:
            served = Model.load(champion()).manifest
        except ModelError:
            served = None
        if served is None or not _is_of(served, chosen):
            with _loadable(client, chosen) as source:
                served = _write(chosen, source, champion())
        _record_missing_change(client, chosen, by)
        return served


def is_served(version: ModelVersion) -> bool:
    """Whether the served manifest is this version's. Unlike `sync`, this does not check the model file."""
    try:
        return _is_of(Manifest.load(champion()), version)
    except ModelError:
        return False


def _is_of(manifest: Manifest, version: ModelVersion) -> bool:
    return manifest.version == str(version.version) and manifest.run_id == version.run_id


def _registered(client: MlflowClient, version: str) -> ModelVersion:
    try:
        return client.get_model_version(NAME, version)
    except MlflowException as error:
        if not is_absent(error):
            raise
        raise ModelError(f"There is no version {version} of the model.") from error


def _record_missing_change(client: MlflowClient, present: ModelVersion | None, by: str) -> str:
    """Record the change to the current champion if it is missing; return its version or ""."""
    if present is None:
        return ""
    version = str(present.version)
    missing = history.unrecorded(client, version, by)
    if missing is not None:
        history.append(client, *missing)
        records.keep_model()
    return version


def _require_champion(client: MlflowClient, expected: str) -> None:
    present = versions.champion_version(client)
    found = "" if present is None else str(present.version)
    if found != expected:
        raise OvertakenError(
            f"The champion was changed by another process: it is now {_named(found)}, not {_named(expected)}."
        )


def _change(
    client: MlflowClient, chosen: ModelVersion, source: Path, kind: str, reason: str, by: str
) -> Manifest:
    """Change the alias, then the files, then the history. The caller holds the lock."""
    before, version = (
        _record_missing_change(client, versions.champion_version(client), by),
        str(chosen.version),
    )
    if before == version:
        return _write(chosen, source, champion())
    change = history.Change(history.now(), before, version, reason, by, kind)
    key = history.begin(client, change)
    client.set_registered_model_alias(NAME, versions.CHAMPION, version)
    served = _write(chosen, source, champion())
    history.append(client, change, key)
    records.keep_model()
    _require_champion(client, version)  # the lock works only on this machine
    return served


def _alone() -> AbstractContextManager[None]:
    """Wait until no other process changes the champion, so that alias and files stay consistent."""
    return locked(champion().with_name(".champion.lock"))


@contextmanager
def _loadable(client: MlflowClient, version: ModelVersion) -> Iterator[Path]:
    """Yield the folder of a version's files, after a check that they load."""
    with versions.artifacts_of(client, version) as artifacts:
        folder = artifacts / versions.CANDIDATE_FILES
        Model.load(folder)
        yield folder


def _write(version: ModelVersion, source: Path, target: Path) -> Manifest:
    """Write the ONNX file under its hash, card and reference, and last the manifest, which activates them.

    Raises `ModelError` if the disk is full. The previous model is then still served.
    """
    manifest = Manifest.load(source)
    name = f"{manifest.sha256}.onnx"
    done = replace(
        manifest,
        file=name,
        version=str(version.version),
        run_id=version.run_id or "",
        metrics=manifest.metrics | _measured(source.parent / runs.REPORT / "metrics.json"),
    )
    previous = _file_of(target)
    try:
        write_bytes(target / name, (source / manifest.file).read_bytes())
        cards.copy(source.parent, target)
        accepted.write_learnt(target, accepted.learnt(source))
        write_text(target / MANIFEST, json.dumps(done.as_dict(), indent=2) + "\n")
    except OSError as error:
        raise ModelError(
            f"Version {done.version} is the champion in the registry, but its files cannot be written:"
            f" {error.strerror or error}. The previous model is still served. Free some space, then run"
            " `python -m pipeline.promote --sync` to finish."
        ) from error
    for old in target.glob("*.onnx"):
        if old.name not in (name, previous):  # a service may be about to open the previous one
            old.unlink()
    for written in (MANIFEST, *cards.BESIDE):
        for left in target.glob(f".*.{written}"):  # temporary files of a process that was killed
            left.unlink()
    return done


def _named(version: str) -> str:
    return f"version {version}" if version else "no version"


def _file_of(folder: Path) -> str | None:
    try:
        return Manifest.load(folder).file
    except ModelError:
        return None


def _measured(path: Path) -> dict[str, float]:
    """Return the top-level numbers of a run's report; {} if the run was never evaluated."""
    if not path.exists():
        return {}
    values = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in values.items() if type(value) in (int, float)}
