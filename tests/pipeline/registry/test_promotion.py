"""The champion's files: promotion, rollback, repair, and what an error must not change."""

from __future__ import annotations

import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

from digits.errors import ModelError
from digits.network.model import Manifest, Model
from pipeline import promote
from pipeline.project.paths import champion
from pipeline.registry import history, promotion, runs, versions
from tests.pipeline.conftest import EXAMPLE

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

Registered = Callable[..., tuple[MlflowClient, str]]


def test_promote_writes_files_and_moves_the_alias(project: Path, registered: Registered) -> None:
    client, version = registered(3)
    assert promotion.sync(client) is None
    promotion.promote(client, version, "a test", "test")
    manifest = Model.load(project / "models" / "champion").manifest
    assert (manifest.version, manifest.file) == (version, f"{manifest.sha256}.onnx")
    assert manifest.metrics == {"test_accuracy": 0.25}
    found = versions.champion_version(client)
    assert found is not None
    assert str(found.version) == version
    assert not list((project / "models" / "champion").glob(".*"))


def test_promote_back_to_an_older_version(project: Path, registered: Registered) -> None:
    champion = project / "models" / "champion"
    client, first = registered(1)
    promotion.promote(client, first, "a test", "test")
    before = Manifest.load(champion)
    client, second = registered(2)
    promotion.promote(client, second, "a test", "test")
    assert Manifest.load(champion).sha256 != before.sha256
    promotion.promote(client, first, "a test", "test")
    assert Manifest.load(champion) == before


def test_promote_keeps_the_file_that_a_service_may_be_opening(project: Path, registered: Registered) -> None:
    names = []
    for favourite in (1, 2, 3):
        client, version = registered(favourite)
        names.append(promotion.promote(client, version, "a test", "test").file)
    kept = {path.name for path in (project / "models" / "champion").glob("*.onnx")}
    assert kept == set(names[1:])


def test_promote_removes_what_a_killed_one_left(project: Path, registered: Registered) -> None:
    client, version = registered(1)
    champion = project / "models" / "champion"
    champion.mkdir(parents=True)
    for name in (f".123.{'0' * 64}.onnx", ".123.manifest.json", ".123.card.html"):
        (champion / name).write_bytes(b"half")
    served = promotion.promote(client, version, "a test", "test")
    assert {path.name for path in champion.iterdir()} == {"manifest.json", served.file}


@pytest.mark.parametrize("name", ["card.html", "drift.json"])
def test_promote_puts_what_evaluate_made_beside_it(project: Path, registered: Registered, name: str) -> None:
    champion = project / "models" / "champion"
    client, plain = registered(1)
    client, version = registered(2)
    run_id = client.get_model_version("digits", version).run_id or ""
    client.log_text(run_id, "what it made", f"evaluation/{name}")
    promotion.promote(client, version, "a test", "test")
    assert (champion / name).read_text() == "what it made"
    promotion.promote(client, plain, "a test", "test")
    assert not (champion / name).exists(), "that was another version's"


def test_promote_waits_for_another_one(
    project: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first writer's cleaning must not remove the second writer's file."""
    client, first = registered(1)
    client, second = registered(2)
    inside, write = threading.Event(), promotion._write

    def noted(*arguments: Any) -> Manifest:
        inside.set()
        return write(*arguments)

    with promotion._alone():
        other = threading.Thread(target=promotion.promote, args=(client, second, "a test", "test"))
        monkeypatch.setattr(promotion, "_write", noted)
        other.start()
        assert not inside.wait(0.5)
        assert versions.champion_version(client) is None
        write(client.get_model_version("digits", first), _candidate(client, first), champion())
    other.join(30)
    assert Model.load(project / "models" / "champion").manifest.version == second


def _candidate(client: MlflowClient, version: str) -> Path:
    with versions.artifacts_of(client, client.get_model_version("digits", version)) as artifacts:
        return artifacts / versions.CANDIDATE_FILES


def test_main_version_of_a_run_that_is_gone(
    project: Path,
    registered: Registered,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The state after `mlflow gc`: the run is deleted, but the version is still registered."""
    client, version = registered(1)
    gone = MlflowException("Run not found", error_code=RESOURCE_DOES_NOT_EXIST)
    monkeypatch.setattr(MlflowClient, "get_run", _raising(gone))
    monkeypatch.setattr("sys.argv", ["promote", version])
    assert promote.main() == 1
    assert f"The run of version {version} is missing" in capsys.readouterr().err
    assert versions.champion_version(client) is None
    assert not (project / "models" / "champion").exists()


def _raising(error: Exception) -> Callable[..., None]:
    def call(*_: object) -> None:
        raise error

    return call


@pytest.mark.usefixtures("project")
def test_champion_version_mlflow_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    client = runs.connect()
    assert versions.champion_version(client) is None
    monkeypatch.setattr(
        MlflowClient, "get_model_version_by_alias", _raising(MlflowException("disk I/O error"))
    )
    with pytest.raises(MlflowException, match="disk"):
        versions.champion_version(client)


def test_artifacts_of_a_server_are_deleted_again(
    registered: Registered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, version = registered(1)
    info = SimpleNamespace(artifact_uri="mlflow-artifacts:/1/2/artifacts")
    monkeypatch.setattr(MlflowClient, "get_run", lambda *_: SimpleNamespace(info=info))
    monkeypatch.setattr("mlflow.artifacts.download_artifacts", lambda **given: given["dst_path"])
    with versions.artifacts_of(client, client.get_model_version("digits", version)) as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(tmp_path / "mlruns")
    assert not folder.exists()


@pytest.mark.usefixtures("project")
def test_promote_unknown_version() -> None:
    with pytest.raises(ModelError, match="no version 7"):
        promotion.promote(runs.connect(), "7", "a test", "test")


def test_promote_lost_files_changes_nothing(project: Path, registered: Registered) -> None:
    client, first = registered(1)
    promotion.promote(client, first, "a test", "test")
    client, second = registered(2)
    run_id = client.get_model_version("digits", second).run_id
    (lost,) = (project / "mlruns").rglob(f"{run_id}/artifacts/candidate/digits.onnx")
    lost.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        promotion.promote(client, second, "a test", "test")
    assert Manifest.load(project / "models" / "champion").version == first
    found = versions.champion_version(client)
    assert found is not None
    assert str(found.version) == first


def test_sync_restores_deleted_and_damaged_files(project: Path, registered: Registered) -> None:
    client, version = registered(4)
    champion = project / "models" / "champion"
    written = promotion.promote(client, version, "a test", "test")
    for damage in (
        lambda: shutil.rmtree(champion),
        lambda: (champion / written.file).write_bytes(b"cut"),
        lambda: (champion / "manifest.json").write_text("{"),
    ):
        damage()
        assert promotion.sync(client) == written
        assert Model.load(champion).manifest == written


def test_sync_leaves_a_good_folder_alone(project: Path, registered: Registered) -> None:
    client, version = registered(4)
    promotion.promote(client, version, "a test", "test")
    path = project / "models" / "champion" / "manifest.json"
    before = path.stat().st_mtime_ns
    promotion.sync(client)
    assert path.stat().st_mtime_ns == before


def test_moved_project_still_promotes(
    project: Path, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, version = registered(5)
    moved = project.with_name("moved")
    shutil.copytree(project, moved)  # after a rename, this process could not write to its open database
    shutil.rmtree(project / "mlruns" / "artifacts")
    monkeypatch.setenv("DVC_ROOT", str(moved))
    monkeypatch.chdir(moved)
    promotion.promote(runs.connect(), version, "a test", "test")
    assert Model.load(moved / "models" / "champion").manifest.version == version


@pytest.mark.usefixtures("project")
def test_main_without_a_champion(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["promote", "--sync"])
    assert promote.main() == 1
    assert "make repro" in capsys.readouterr().err


def test_main_promotes(
    registered: Registered, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, version = registered(6)
    monkeypatch.setattr("sys.argv", ["promote", version, "--reason", "reads sixes"])
    assert promote.main() == 0
    (change,) = history.changes(client)
    assert (change.reason, change.by, change.kind) == ("reads sixes", "promote", history.PROMOTION)
    assert f"version {version}" in capsys.readouterr().out


def test_register_twice_is_one_version(registered: Registered, make_candidate: Callable[..., Path]) -> None:
    client, version = registered(8)
    run_id = client.get_model_version("digits", version).run_id
    assert run_id is not None
    with runs.reopened_run(run_id, {}):
        again = versions.register(client, run_id, make_candidate(8), {}, EXAMPLE)
    assert again == version


def state(client: MlflowClient) -> tuple[str, str, str]:
    """Return the version of the alias, of the served files, and of the last change in the history."""
    found = versions.champion_version(client)
    assert found is not None
    return str(found.version), Model.load(champion()).manifest.version, history.changes(client)[-1].version


def lose(client: MlflowClient, version: str) -> None:
    """Delete the files of a version, as a user might to free space."""
    shutil.rmtree(_candidate(client, version))


def promoted(registered: Registered, amount: int) -> MlflowClient:
    """Register this many versions from 1 on, each of which becomes the champion in turn."""
    for favourite in range(amount):
        client, version = registered(favourite)
        promotion.promote(client, version, f"reads {favourite}", "test")
    return client


def test_rollback_goes_one_further_back_each_time(registered: Registered) -> None:
    client = promoted(registered, 3)
    assert promotion.rollback(client, "test").served.version == "2"
    assert state(client) == ("2", "2", "2")
    assert promotion.rollback(client, "test").served.version == "1"
    with pytest.raises(ModelError, match="no version before 1"):
        promotion.rollback(client, "test")
    assert state(client) == ("1", "1", "1")
    promotion.promote(client, "3", "again", "test")
    assert promotion.rollback(client, "test").served.version == "1"
    recorded = [(one.kind, one.before, one.version, one.by) for one in history.changes(client)]
    assert recorded[2:] == [
        ("promotion", "2", "3", "test"),
        ("rollback", "3", "2", "test"),
        ("rollback", "2", "1", "test"),
        ("promotion", "1", "3", "test"),
        ("rollback", "3", "1", "test"),
    ]


@pytest.mark.usefixtures("project")
def test_rollback_without_a_champion() -> None:
    with pytest.raises(ModelError, match="There is no champion yet"):
        promotion.rollback(runs.connect(), "test")


def test_rollback_passes_over_versions_that_are_gone(registered: Registered) -> None:
    client = promoted(registered, 4)
    lose(client, "3")
    client.delete_model_version("digits", "2")
    done = promotion.rollback(client, "test")
    assert done.served.version == "1"
    assert [text[:10] for text in done.skipped] == ["Version 3 ", "Version 2 "]
    assert "no version 2" in done.skipped[1]
    assert state(client) == ("1", "1", "1")


def test_rollback_with_nothing_left_changes_nothing(registered: Registered) -> None:
    client = promoted(registered, 2)
    lose(client, "1")
    before = history.changes(client)
    with pytest.raises(ModelError, match=r"(?s)Version 1 is skipped.*no version before 2"):
        promotion.rollback(client, "test")
    assert state(client) == ("2", "2", "2")
    assert history.changes(client) == before


def test_alias_moved_elsewhere_is_written_and_recorded(registered: Registered) -> None:
    client = promoted(registered, 2)
    client.set_registered_model_alias("digits", "champion", "1")
    promotion.sync(client, by="follower")
    assert state(client) == ("1", "1", "1")
    last = history.changes(client)[-1]
    assert (last.kind, last.by, last.reason) == ("move", "follower", "alias moved in the registry")
    promotion.sync(client)
    assert history.changes(client)[-1] == last
    assert promotion.rollback(client, "test").served.version == "2"


def test_alias_moved_to_lost_files_is_left_by_a_rollback(registered: Registered) -> None:
    client = promoted(registered, 2)
    _, third = registered(3)
    lose(client, third)
    client.set_registered_model_alias("digits", "champion", third)
    with pytest.raises(ModelError, match="no model"):
        promotion.sync(client)
    assert Model.load(champion()).manifest.version == "2"
    assert promotion.rollback(client, "test").served.version == "2"
    assert state(client) == ("2", "2", "2")


@contextmanager
def full_disk() -> Iterator[None]:
    """Limit the files of this process to a thousand bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_for_the_files_keeps_the_old_champion_until_sync(
    registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = promoted(registered, 1)
    _, second = registered(2)
    write = promotion._write

    def on_a_full_disk(*arguments: Any) -> Manifest:
        with full_disk():
            return write(*arguments)

    monkeypatch.setattr(promotion, "_write", on_a_full_disk)
    with pytest.raises(ModelError, match=r"cannot be written: File too large.*--sync"):
        promotion.promote(client, second, "better", "test")
    assert Model.load(champion()).manifest.version == "1"
    assert not list(champion().glob(".*"))
    monkeypatch.setattr(promotion, "_write", write)
    promotion.sync(client)
    assert state(client) == (second, second, second)
    assert history.changes(client)[-1].reason == "better"


def test_full_disk_for_the_registry_changes_nothing(registered: Registered) -> None:
    client = promoted(registered, 1)
    _, second = registered(2)
    with full_disk(), pytest.raises(MlflowException):
        promotion.promote(client, second, "better", "test")
    assert state(client) == ("1", "1", "1")
