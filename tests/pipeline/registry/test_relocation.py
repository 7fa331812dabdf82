"""Artifact addresses after the project's folder was moved."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.project.paths import NAME
from pipeline.registry import relocation


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of a project that was at /before."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    path = tmp_path / "mlruns" / "mlflow.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE experiments (name, artifact_location)")
        for table, column in relocation.ADDRESSES[1:]:
            connection.execute(f"CREATE TABLE {table} ({column})")
            connection.execute(f"INSERT INTO {table} VALUES ('file:///before/mlruns/artifacts/{table}')")
            connection.execute(f"INSERT INTO {table} VALUES ('s3://elsewhere/{table}')")
        row = (NAME, "file:///before/mlruns/artifacts")
        connection.execute("INSERT INTO experiments VALUES (?, ?)", row)
    return path


def addresses(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        columns = (f"SELECT {column} FROM {table}" for table, column in relocation.ADDRESSES)
        return [row[0] for query in columns for row in connection.execute(query)]


def test_relocate_moved_project(moved: Path, tmp_path: Path) -> None:
    assert relocation.relocate()
    now = (tmp_path / "mlruns" / "artifacts").as_uri()
    assert addresses(moved) == [
        now,
        *(f"{start}/{table}" for table, _ in relocation.ADDRESSES[1:] for start in (now, "s3://elsewhere")),
    ]


def test_relocate_twice_changes_nothing(moved: Path) -> None:
    relocation.relocate()
    before = addresses(moved)
    assert not relocation.relocate()
    assert addresses(moved) == before


@pytest.mark.parametrize(
    "start", ["file:///project/mlruns/artifacts", "/project/mlruns/artifacts", "/before/mlruns/artifacts"]
)
def test_relocate_also_what_a_container_wrote_and_plain_paths(
    moved: Path, tmp_path: Path, start: str
) -> None:
    """A container read the experiment's address just before it was corrected."""
    with closing(sqlite3.connect(moved)) as connection, connection:
        connection.execute("INSERT INTO runs VALUES (?)", (f"{start}/new",))
        connection.execute("INSERT INTO runs VALUES (?)", (f"{start}-of-others/new",))
    assert relocation.relocate()
    now = (tmp_path / "mlruns" / "artifacts").as_uri()
    assert {f"{now}/new", f"{start}-of-others/new"} < set(addresses(moved))
    with closing(sqlite3.connect(moved)) as connection, connection:
        connection.execute("INSERT INTO runs VALUES ('file:///project/mlruns/artifacts/late')")
    assert relocation.relocate()
    assert f"{now}/late" in addresses(moved)


def test_container_leaves_addresses_to_the_host(moved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = addresses(moved)
    monkeypatch.setenv("PROJECT_IS_MOUNTED", "1")
    assert not relocation.relocate()
    assert addresses(moved) == before


def test_relocate_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert not relocation.relocate()


def test_relocate_empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").touch()
    assert not relocation.relocate()


def test_relocate_needs_no_mlflow() -> None:
    code = "import sys, pipeline.relocate; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3]).returncode == 0
