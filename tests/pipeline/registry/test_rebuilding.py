"""Rebuilding a registry from a damaged one and its artifacts, with real stores."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.network.model import Manifest
from pipeline import rebuild_registry
from pipeline.mnist.dataset import Digits
from pipeline.project.paths import artifacts, champion, database
from pipeline.registry import promotion, rebuilding, records, relocation, runs, versions
from pipeline.registry.rebuilding import rebuild
from tests.pipeline.conftest import EXAMPLE

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
PAGE = 4096  # bytes of an SQLite page


@pytest.fixture(scope="module")
def original(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three versions with curves and data sets, promoted in turn and rolled back once: 2 is the champion."""
    folder = tmp_path_factory.mktemp("original")
    (folder / "mlruns").mkdir()
    shutil.copy2(empty_store, folder / "mlruns" / "mlflow.db")
    digits = Digits(np.zeros((2, 28, 28), np.uint8), np.arange(2, dtype=np.uint8))
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(folder))
        patch.setenv("MLFLOW_TRACKING_URI", "")
        os.chdir(folder)
        try:
            for favourite in (1, 2, 3):
                _train(favourite, digits)
            promotion.rollback(runs.connect(), "test")
        finally:
            os.chdir(before)
    yield folder
    shutil.rmtree(folder)


def _train(favourite: int, digits: Digits) -> None:
    """Register a version with everything that the stages log, and make it the champion."""
    model = ROOT / "digits" / "default"
    with runs.training_run({"seed": favourite}) as run_id:
        runs.log_data({"train": digits})
        for epoch in (1, 2):
            runs.log_epoch({"loss": 1 / epoch, "val_accuracy": 0.5}, epoch)
    with runs.reopened_run(run_id, {}) as (client, _):
        version = versions.register(client, run_id, model, {"validation_accuracy": 0.5}, EXAMPLE)
        reports = Path("reports")
        reports.mkdir(exist_ok=True)
        (reports / "metrics.json").write_text('{"test_accuracy": 0.25}')
        runs.log_evaluation({"test_accuracy": 0.25}, reports)
        client.log_text(run_id, f"<h1>digits, version {version}</h1>", "evaluation/card.html")
        client.update_model_version("digits", version, f"The card of {version}")
        promotion.promote(client, version, f"reads {favourite}", "test")


@pytest.fixture
def damaged(original: Path, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the original in another folder, to be damaged and rebuilt. Its path contains a space.

    MLflow's tables are copied, because creating them takes seconds.
    """
    folder = tmp_path / "a project"
    shutil.copytree(original, folder)
    monkeypatch.setenv("DVC_ROOT", str(folder))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.chdir(folder)
    relocation.relocate()

    def make_tables(path: Path) -> None:
        shutil.copy2(empty_store, path)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE experiments SET artifact_location = ? WHERE name = 'digits'", (artifacts(),)
            )

    monkeypatch.setattr(rebuilding, "_make_tables", make_tables)
    return folder


def content() -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the database that belong to runs and versions, sorted."""
    with closing(sqlite3.connect(database())) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in (*records.OF_RUN, *records.OF_MODEL)
        }


def rows(query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database())) as connection:
        return connection.execute(query).fetchall()


def alias() -> int:
    """The version that is the champion according to the registry."""
    ((version,),) = rows("SELECT version FROM registered_model_aliases WHERE alias = 'champion'")
    return int(version)


def garble(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(path.stat().st_size))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize("damage", [garble, cut, empty, Path.unlink])
def test_registry_made_anew_holds_what_the_old_one_held(damage: Callable[[Path], None]) -> None:
    before = content()
    damage(database())
    left = database().read_bytes() if database().exists() else None
    done = rebuild()
    assert content() == before
    assert done.versions == [1, 2, 3]
    assert alias() == 2
    aside = list(database().parent.glob("mlflow-damaged-*.db"))
    assert aside == ([done.aside] if done.aside else [])
    assert [path.read_bytes() for path in aside] == ([] if left is None else [left])
    assert not list(database().parent.glob(".rebuilt*"))


@pytest.mark.usefixtures("damaged")
def test_rows_that_are_readable_fill_what_the_records_lack() -> None:
    """Runs that are older than records, and system metrics, which are not in records."""
    ((run_id,),) = rows("SELECT run_id FROM model_versions WHERE version = 1")
    with closing(sqlite3.connect(database())) as connection, connection:
        connection.execute("INSERT INTO metrics VALUES ('system/cpu', 50, 1, ?, 0, 0)", (run_id,))
    before = content()
    cut_short = rebuild()
    assert content() == before
    assert cut_short.runs["the records"] == 3
    shutil.rmtree(records.folder())
    assert rebuild().runs["the damaged database"] == 3
    assert content() == before


@pytest.mark.usefixtures("damaged")
def test_load_that_only_a_lost_database_held_is_told() -> None:
    garble(database())
    assert rebuild().missing == ["the system metrics of 3 of the runs"]


@pytest.mark.usefixtures("damaged")
def test_half_a_database_gives_the_rows_on_both_sides_of_the_damage() -> None:
    ((run_id,),) = rows("SELECT run_id FROM model_versions WHERE version = 1")
    with closing(sqlite3.connect(database())) as connection, connection:
        more = [(f"tag {number}", "x" * 500, run_id) for number in range(200)]
        connection.executemany("INSERT INTO tags VALUES (?, ?, ?)", more)
    shutil.rmtree(records.folder())
    pages = bytearray(database().read_bytes())
    page = pages.find(b"tag 100xxx") // PAGE * PAGE
    pages[page : page + PAGE] = bytes(PAGE)
    database().write_bytes(pages)
    rebuild()
    assert alias() == 2
    tags = {key for (key,) in rows("SELECT key FROM tags WHERE key LIKE 'tag %'")}
    assert 150 < len(tags) < 200
    assert {"tag 0", "tag 199"} <= tags


@pytest.mark.usefixtures("damaged")
def test_runs_without_any_record_come_from_their_artifacts() -> None:
    kept = "SELECT version, run_id, source FROM model_versions ORDER BY version"
    figures = "SELECT key, value, run_uuid FROM latest_metrics WHERE key = 'test/accuracy' ORDER BY run_uuid"
    before = rows(kept), rows(figures)
    shutil.rmtree(records.folder())
    garble(database())
    done = rebuild()
    assert (rows(kept), rows(figures)) == before
    assert (done.runs["artifacts alone"], alias()) == (3, 2)
    assert any("parameters" in one for one in done.missing)
    assert "the history of promotions" in done.missing


@pytest.mark.usefixtures("damaged")
def test_kill_between_the_two_renames_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are only in the damaged database."""
    before = content()
    shutil.rmtree(records.folder())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            rebuild()
    rebuild()
    assert content() == before
    assert len({path.stat().st_ino for path in database().parent.glob("mlflow-damaged-*.db")}) == 1


@pytest.mark.usefixtures("damaged")
def test_a_torn_file_of_a_model_loses_that_version_alone() -> None:
    shutil.rmtree(records.folder())
    garble(database())
    torn, *_ = sorted(Path("mlruns/artifacts/models").glob("*/artifacts/MLmodel"))
    torn.write_text("run_id: [")
    assert len(rebuild().versions) == 2


@pytest.mark.usefixtures("damaged")
def test_records_that_cannot_be_told_are_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A record that cannot be written raises nothing, and no database is created."""
    garble(database())
    records.keep_model()
    assert "cannot be written (file is not a database)" in capsys.readouterr().err
    database().unlink()
    records.keep_model()
    assert not database().exists()


def test_what_cannot_be_restored_is_told(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ((run_id,),) = rows("SELECT run_id FROM model_versions WHERE version = 3")
    shutil.rmtree(damaged / "mlruns" / "artifacts" / run_id)
    (record,) = records.folder().glob(
        f"{rows('SELECT run_id FROM model_versions WHERE version = 1')[0][0]}.json"
    )
    record.write_text("{")
    garble(database())
    lines = rebuild_registry.described(rebuild())
    assert "Runs: 2 from the records, 1 from artifacts alone." in lines
    assert (
        f"Not restored: the files of version 3, which are missing from {damaged / 'mlruns' / 'artifacts'}."
        in lines
    )
    assert f"{record} cannot be read and is left out" in capsys.readouterr().err


@pytest.mark.usefixtures("damaged")
def test_alias_names_what_is_served() -> None:
    """The record may be older than the served files, because it is written later."""
    with closing(sqlite3.connect(database())) as connection, connection:
        connection.execute("UPDATE registered_model_aliases SET version = 3")
    assert Manifest.load(champion()).version == "2"
    rebuild()
    assert alias() == 2


def command(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", f"pipeline.{module}", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.usefixtures("damaged")
def test_command_rebuilds_and_the_others_go_on() -> None:
    garble(database())
    done = command("rebuild_registry")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The damaged database is kept as " in done.stdout
    assert "Versions: 1, 2, 3." in done.stdout
    assert "champion: version 2 (" in done.stdout
    rolled = command("rollback")
    assert "champion: version 1 (" in rolled.stdout, rolled.stderr
    again = command("rebuild_registry")
    assert "is intact, so nothing is rebuilt." in again.stdout


@pytest.mark.usefixtures("project")
def test_command_without_anything_to_rebuild_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database().unlink()
    monkeypatch.setattr("sys.argv", ["rebuild_registry"])
    assert rebuild_registry.main() == 1
    assert "is empty, so nothing can be rebuilt. `make repro` creates it." in capsys.readouterr().err
