"""Every command reports a damaged, locked or missing database, or a read-only folder, in a sentence."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
import pytest

import launch
from pipeline import champion, compare, mlflow_ui, promote, rebuild_registry, repro, rollback
from pipeline.project.errors import RegistryError
from pipeline.project.paths import database, store
from pipeline.registry import damage, records, runs

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
OUT = "`make rebuild-registry`"
COMMANDS: list[tuple[Callable[[], int], list[str]]] = [
    (promote.main, ["1"]),
    (promote.main, ["--sync"]),
    (rollback.main, []),
    (champion.main, []),
    (compare.main, []),
    (repro.main, []),
    (mlflow_ui.main, []),
]


def garbage() -> None:
    database().write_bytes(b"garbage " * 10_000)


def truncated() -> None:
    os.truncate(database(), database().stat().st_size // 3)


def emptied() -> None:
    os.truncate(database(), 0)


@pytest.fixture
def said(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return the stderr of a command, which must fail without a traceback."""
    monkeypatch.setattr(repro, "dvc", lambda *_: 0)
    monkeypatch.setattr(launch, "require_free", lambda _: None)
    monkeypatch.setattr(damage, "PATIENCE", 0.2)

    def call(main: Callable[[], int], *arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        assert main() == 1
        told = capsys.readouterr()
        assert told.out == ""
        return told.err

    assert project
    return call


@contextmanager
def locked() -> Iterator[None]:
    """A database that is locked by a transaction of a hanging process."""
    with closing(sqlite3.connect(database())) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("spoil", [garbage, truncated])
def test_damaged_database_is_named_with_the_way_out(
    spoil: Callable[[], None], said: Callable[..., str]
) -> None:
    spoil()
    left = database().read_bytes()
    for main, arguments in COMMANDS:
        told = said(main, *arguments)
        assert told.startswith(f"{database()} is damaged (")
        assert OUT in told
        assert told.count("\n") == 1
    assert database().read_bytes() == left


@pytest.mark.parametrize("lose", [emptied, lambda: database().unlink()], ids=["emptied", "deleted"])
def test_lost_database_is_not_made_anew_over_what_is_on_record(
    lose: Callable[[], None], said: Callable[..., str]
) -> None:
    with runs.training_run({"seed": 1}):
        pass
    lose()
    for main, arguments in COMMANDS:
        told = said(main, *arguments)
        assert told.startswith(
            f"{database()} is missing, but its content is on record in {records.folder()}. {OUT}"
        )
    assert not database().exists() or not database().stat().st_size


def test_locked_database_is_named_with_who_has_it(said: Callable[..., str]) -> None:
    """Another process holds the lock; the message has its id."""
    code = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE');"
        "print('held', flush=True); time.sleep(120)"
    )
    command = [sys.executable, "-c", code, str(database())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            for main, arguments in (*COMMANDS, (rebuild_registry.main, [])):
                told = said(main, *arguments)
                assert told.startswith(f"{database()} is locked: process {holder.pid} ("), told
                assert "Wait for it or end it" in told
        finally:
            holder.kill()


def test_folder_that_cannot_be_written_is_named(said: Callable[..., str]) -> None:
    """A folder in which nobody can create files, not even root."""
    place = Path("/sys/kernel")
    if not place.is_dir() or sys.platform != "linux":
        pytest.skip("SKIPPED: no folder here that nobody may write into")
    shutil.rmtree(store())
    store().symlink_to(place)
    for main in (compare.main, repro.main, mlflow_ui.main):
        told = said(main)
        assert f"{store()} cannot be written (" in told
        assert "`ls -la mlruns`" in told


@pytest.mark.usefixtures("project")
def test_no_room_is_told() -> None:
    with (
        pytest.raises(RegistryError, match="There is no space left on the disk of"),
        damage.as_registry_error(),
    ):
        raise sqlite3.OperationalError("database or disk is full")
    with pytest.raises(RegistryError, match="There is no space left"), damage.as_registry_error():
        raise OSError(28, "No space left on device", str(store() / "artifacts"))
    with pytest.raises(RegistryError, match="There is no space left"), damage.as_registry_error():
        raise OSError(errno.EFBIG, "File too large", str(store() / "artifacts"))
    with (
        pytest.raises(RegistryError, match=r"^reports/a\.json cannot be written"),
        damage.as_registry_error(),
    ):
        raise OSError(28, "No space left on device", "reports/a.json")
    with pytest.raises(FileNotFoundError), damage.as_registry_error():  # not a file of the registry
        raise FileNotFoundError(2, "No such file", "reports/metrics.json")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (sqlite3.OperationalError("disk I/O error"), "is full or failing"),
        (mlflow.MlflowException("Experiment(name=digits) already exists."), "The registry failed: Exp"),
        (sqlite3.OperationalError('table "runs" already exists'), "is damaged"),
        (FileNotFoundError(2, "No such file"), "No such file"),
    ],
)
def test_only_damage_is_called_damage(error: Exception, told: str) -> None:
    said = damage.sentence(error)
    assert told in said
    assert ("is damaged" in said) == (told == "is damaged")


@pytest.mark.usefixtures("project")
def test_a_server_that_fails_says_nothing_of_the_database_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example.org")
    error = mlflow.MlflowException("(sqlite3.OperationalError) database is locked")
    assert damage.sentence(error) == f"The registry failed: {error}"


@pytest.mark.usefixtures("project")
def test_a_file_of_the_store_that_is_gone_is_named() -> None:
    said = damage.sentence(FileNotFoundError(2, "No such file", str(store() / "artifacts" / "a")))
    assert said.startswith("The registry failed: ")
    assert str(store() / "artifacts" / "a") in said


@pytest.mark.usefixtures("project")
def test_training_goes_on_where_the_registry_cannot_be_opened(capsys: pytest.CaptureFixture[str]) -> None:
    garbage()
    with runs.training_run({"seed": 1}) as run_id:
        runs.log_data({})
        runs.log_epoch({"loss": 0.5}, 1)
    assert run_id == ""
    assert mlflow.active_run() is None
    told = capsys.readouterr().out
    assert told.count(OUT) == 1
    assert told.endswith("The training continues without MLflow.\n")


@pytest.mark.usefixtures("project")
def test_training_goes_on_where_the_registry_fails_on_the_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The training's run is recorded up to the failure, and `evaluate` adds the missing epochs."""
    with runs.training_run({"seed": 1}) as run_id:
        runs.log_epoch({"loss": 0.5}, 1)
        with monkeypatch.context() as patch:
            patch.setattr(mlflow, "log_metrics", _malformed)
            runs.log_epoch({"loss": 0.25}, 2)
            runs.log_epoch({"loss": 0.125}, 3)
    assert capsys.readouterr().out.count(OUT) == 1
    curves = store().parent / "training.csv"
    curves.write_text("epoch,loss\n1,0.5\n2,0.25\n3,0.125\n")
    with runs.reopened_run(run_id, {}) as (client, same):
        runs.log_evaluation({}, curves.parent)
    assert same == run_id
    history = client.get_metric_history(run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert client.get_run(run_id).info.status == "FINISHED"


@pytest.mark.usefixtures("project")
def test_trial_ends_where_the_registry_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "log_metrics", _malformed)
    with pytest.raises(RegistryError, match="is damaged"), runs.trial_run({"seed": 1}):
        runs.log_epoch({"loss": 0.5}, 1)


def _malformed(*_: object, **__: object) -> None:
    raise mlflow.MlflowException("(sqlite3.DatabaseError) database disk image is malformed\n[SQL: INSERT]")


@pytest.mark.heavy  # starts each command in a process, which takes seconds
@pytest.mark.parametrize("spoil", [garbage, truncated, emptied])
def test_commands_leave_no_traceback(spoil: Callable[[], None], project: Path) -> None:
    with runs.training_run({"seed": 1}):
        pass
    spoil()
    for module in (
        "promote 1",
        "rollback",
        "champion",
        "compare",
        "reproduce 1",
        "mlflow_ui",
        "search",
        "evaluate",
    ):
        done = subprocess.run(
            [sys.executable, "-m", *f"pipeline.{module}".split()],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode
        assert "Traceback" not in done.stderr, module
        assert OUT in done.stderr or module in ("search", "evaluate"), module  # they fail first, without data
