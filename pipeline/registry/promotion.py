"""The registry's alias `champion`, and its model as the files that are served."""

# Why it is so: docs/decisions/champion.md
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
    """Make a registered version the champion, for a `reason`; `by` names what does it, for the record.

    The alias moves first, since `sync` can finish the rest. Raises `ModelError` where the version or its
    files are not there, and `OvertakenError` where the champion is another than `instead_of` ("": none is
    expected, None: any will do); nothing is changed then. `OvertakenError` too where another machine has
    moved the alias meanwhile: its version is the champion then, and both changes are on record.
    """
    with _alone():
        if instead_of is not None:
            _require_champion(client, instead_of)
        chosen = _registered(client, version)
        with _loadable(client, chosen) as source:
            return _change(client, chosen, source, history.PROMOTION, reason, by)


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback did: the manifest that is served now, and why versions between were passed over."""

    served: Manifest
    skipped: list[str]


def rollback(client: MlflowClient, by: str) -> Rollback:
    """Make the version before the present champion the champion again; once more: the one before that.

    A version whose files are gone is passed over. Raises `ModelError` where there is none to return to;
    nothing is changed then.
    """
    with _alone():
        present = _settle(client, versions.champion_version(client), by)
        if not present:
            raise ModelError("No version is the champion yet, so none can be rolled back.")
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
                    skipped.append(f"Version {version} is passed over. {error}")
                    continue
                reason = f"version {present} was rolled back"
                return Rollback(_change(client, chosen, source, history.ROLLBACK, reason, by), skipped)
        raise ModelError("\n".join([*skipped, f"There is no version before {present} to return to."]))


def sync(client: MlflowClient, by: str = "sync") -> Manifest | None:
    """Write the files of the version that carries the alias, where they differ; None without one.

    A change that is not on record, since the alias was moved elsewhere or a command was killed, is recorded.
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
        _settle(client, chosen, by)
        return served


def is_served(version: ModelVersion) -> bool:
    """Whether the served manifest is this version's. It is looked at alone: `sync` checks its file too."""
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


def _settle(client: MlflowClient, present: ModelVersion | None, by: str) -> str:
    """Record how the present champion became it, where that is not on record; gives its version or ""."""
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
            f"The champion is version {found or 'none'} and no longer version {expected or 'none'}:"
            " it was changed elsewhere meanwhile."
        )


def _change(
    client: MlflowClient, chosen: ModelVersion, source: Path, kind: str, reason: str, by: str
) -> Manifest:
    """Alias, files, record, in this order; the lock is held."""
    before, version = _settle(client, versions.champion_version(client), by), str(chosen.version)
    if before == version:
        return _write(chosen, source, champion())
    change = history.Change(history.now(), before, version, reason, by, kind)
    key = history.begin(client, change)
    client.set_registered_model_alias(NAME, versions.CHAMPION, version)
    served = _write(chosen, source, champion())
    history.append(client, change, key)
    records.keep_model()
    _require_champion(client, version)  # the lock holds on this machine alone
    return served


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
    """The ONNX file under its hash, card and reference, then the manifest, whose rename makes the change.

    Raises `ModelError` where the disk takes no more; what was served before still is then.
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
            f"Version {done.version} is the champion in the registry, and its files cannot be written:"
            f" {error.strerror or error}. What was served before still is. Once there is room,"
            " `python -m pipeline.promote --sync` finishes this."
        ) from error
    for old in target.glob("*.onnx"):
        if old.name not in (name, previous):  # a service may be about to open the previous one
            old.unlink()
    for written in (MANIFEST, *cards.BESIDE):
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
