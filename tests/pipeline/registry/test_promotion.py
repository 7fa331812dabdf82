"""The registry's champion as files: promotion, roll-back, repair, and what must not change on an error."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
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
from pipeline.registry import promotion, runs, versions

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

Make = Callable[..., Path]


def registered(make_candidate: Make, favourite: int) -> tuple[MlflowClient, str]:
    """A version of the registered model that prefers one digit."""
    with runs.training_run({"seed": favourite}) as run_id:
        folder = make_candidate(favourite, run_id=run_id)
    with runs.reopened_run(run_id, {}) as (client, _):
        version = versions.register(client, run_id, folder, {"validation_accuracy": 0.5})
        reports = folder.parent / "reports"
        reports.mkdir(exist_ok=True)
        (reports / "metrics.json").write_text(json.dumps({"test_accuracy": 0.25, "recall": {"0": 1.0}}))
        runs.log_evaluation({}, reports)
    return client, version


def test_promote_writes_files_and_moves_the_alias(project: Path, make_candidate: Make) -> None:
    client, version = registered(make_candidate, 3)
    assert promotion.sync(client) is None
    promotion.promote(client, version, "a test", "test")
    manifest = Model.load(project / "models" / "champion").manifest
    assert (manifest.version, manifest.file) == (version, f"{manifest.sha256}.onnx")
    assert manifest.metrics == {"test_accuracy": 0.25}
    found = versions.champion_version(client)
    assert found is not None
    assert str(found.version) == version
    assert not list((project / "models" / "champion").glob(".*"))


def test_promote_back_to_an_older_version(project: Path, make_candidate: Make) -> None:
    champion = project / "models" / "champion"
    client, first = registered(make_candidate, 1)
    promotion.promote(client, first, "a test", "test")
    before = Manifest.load(champion)
    client, second = registered(make_candidate, 2)
    promotion.promote(client, second, "a test", "test")
    assert Manifest.load(champion).sha256 != before.sha256
    promotion.promote(client, first, "a test", "test")
    assert Manifest.load(champion) == before


def test_promote_keeps_the_file_that_a_service_may_be_opening(project: Path, make_candidate: Make) -> None:
    names = []
    for favourite in (1, 2, 3):
        client, version = registered(make_candidate, favourite)
        names.append(promotion.promote(client, version, "a test", "test").file)
    kept = {path.name for path in (project / "models" / "champion").glob("*.onnx")}
    assert kept == set(names[1:])


def test_promote_removes_what_a_killed_one_left(project: Path, make_candidate: Make) -> None:
    client, version = registered(make_candidate, 1)
    champion = project / "models" / "champion"
    champion.mkdir(parents=True)
    for name in (f".123.{'0' * 64}.onnx", ".123.manifest.json"):
        (champion / name).write_bytes(b"half")
    served = promotion.promote(client, version, "a test", "test")
    assert {path.name for path in champion.iterdir()} == {"manifest.json", served.file}


def test_promote_waits_for_another_one(
    project: Path, make_candidate: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second writer's file must not fall to the first one's cleaning."""
    client, first = registered(make_candidate, 1)
    client, second = registered(make_candidate, 2)
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
    make_candidate: Make,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As `mlflow gc` leaves it: the version is still registered."""
    client, version = registered(make_candidate, 1)
    gone = MlflowException("Run not found", error_code=RESOURCE_DOES_NOT_EXIST)
    monkeypatch.setattr(MlflowClient, "get_run", _raising(gone))
    monkeypatch.setattr("sys.argv", ["promote", version])
    assert promote.main() == 1
    assert f"The run of version {version} is gone" in capsys.readouterr().err
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
    make_candidate: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, version = registered(make_candidate, 1)
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


def test_promote_lost_files_changes_nothing(project: Path, make_candidate: Make) -> None:
    client, first = registered(make_candidate, 1)
    promotion.promote(client, first, "a test", "test")
    client, second = registered(make_candidate, 2)
    run_id = client.get_model_version("digits", second).run_id
    (lost,) = (project / "mlruns").rglob(f"{run_id}/artifacts/candidate/digits.onnx")
    lost.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        promotion.promote(client, second, "a test", "test")
    assert Manifest.load(project / "models" / "champion").version == first
    found = versions.champion_version(client)
    assert found is not None
    assert str(found.version) == first


def test_sync_restores_deleted_and_damaged_files(project: Path, make_candidate: Make) -> None:
    client, version = registered(make_candidate, 4)
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


def test_sync_leaves_a_good_folder_alone(project: Path, make_candidate: Make) -> None:
    client, version = registered(make_candidate, 4)
    promotion.promote(client, version, "a test", "test")
    path = project / "models" / "champion" / "manifest.json"
    before = path.stat().st_mtime_ns
    promotion.sync(client)
    assert path.stat().st_mtime_ns == before


def test_moved_project_still_promotes(
    project: Path, make_candidate: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, version = registered(make_candidate, 5)
    moved = project.with_name("moved")
    shutil.copytree(project, moved)  # this process holds the database open: renamed, it is not writable
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
    make_candidate: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, version = registered(make_candidate, 6)
    monkeypatch.setattr("sys.argv", ["promote", version])
    assert promote.main() == 0
    assert f"version {version}" in capsys.readouterr().out


def test_register_twice_is_one_version(make_candidate: Make) -> None:
    client, version = registered(make_candidate, 8)
    run_id = client.get_model_version("digits", version).run_id
    assert run_id is not None
    with runs.reopened_run(run_id, {}):
        again = versions.register(client, run_id, make_candidate(8), {})
    assert again == version
