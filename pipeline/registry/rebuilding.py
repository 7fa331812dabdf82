"""Rebuild the registry from the records, the readable rows of a damaged database, and the artifacts.

A row from the records takes precedence over the same row of a damaged database, which may be wrong.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from digits.errors import ModelError
from digits.network.model import Manifest
from pipeline.project.files import locked
from pipeline.project.paths import NAME, artifacts, champion, database, store
from pipeline.registry import artifact_rows, records, runs
from pipeline.registry.records import OF_MODEL, OF_RUN, Rows
from pipeline.registry.relocation import ADDRESSES
from pipeline.registry.versions import CANDIDATE_FILES, CHAMPION

BESIDE = ("-journal", "-wal", "-shm")  # suffixes of SQLite's companion files
RUN_OF = {  # the column of each table with the run's id
    "runs": "run_uuid",
    "params": "run_uuid",
    "tags": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "logged_models": "source_run_id",
    "logged_model_metrics": "run_id",
}


@dataclass
class Rebuilt:
    """The result: numbers of runs by source, versions, the old database's new path, and what is missing."""

    runs: dict[str, int] = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)
    aside: Path | None = None
    missing: list[str] = field(default_factory=list)


def rebuild() -> Rebuilt:
    """Move the database, if there is one, aside under a name with the time, and rebuild it.

    The new database is complete before it takes the old one's name. After a kill one of the two is there, and
    the same command can be repeated.
    """
    with locked(store() / ".rebuild.lock"):
        made = store() / ".rebuilt.db"
        for end in ("", *BESIDE):
            made.with_name(made.name + end).unlink(missing_ok=True)
        done = Rebuilt()
        _make_tables(made)
        with closing(sqlite3.connect(made)) as connection, connection:
            _fill(connection, done)
        done.aside = _put_aside()
        made.replace(database())
    return done


def _make_tables(path: Path) -> None:
    """Create MLflow's database with the experiment and without runs."""
    runs.be_quiet()
    MlflowClient(f"sqlite:///{path}").create_experiment(NAME, artifacts())


def _fill(connection: sqlite3.Connection, done: Rebuilt) -> None:
    """Insert all available rows, and list in `done` what they are and what is missing."""
    (experiment,) = connection.execute(
        "SELECT experiment_id FROM experiments WHERE name = ?", (NAME,)
    ).fetchone()
    known: set[str] = set()
    for source, rows in (("the records", records.kept()), ("the damaged database", salvaged(database()))):
        done.runs[source] = _insert_runs(connection, rows, known, experiment)
    rows = artifact_rows.rows_of_other_runs(known)
    done.runs["artifacts alone"] = _insert_runs(connection, rows, known, experiment)
    if done.runs["artifacts alone"]:
        done.missing.append(
            "names and parameters, except for seed and epochs, of the runs restored from artifacts alone"
        )
    (loads,) = connection.execute(
        "SELECT count(DISTINCT run_uuid) FROM metrics WHERE key LIKE 'system/%'"
    ).fetchone()
    if loads < len(known):
        done.missing.append(f"the system metrics of {len(known) - loads} of the runs")
    _restore_champion(connection, done)
    for version, run_id in connection.execute("SELECT version, run_id FROM model_versions ORDER BY version"):
        done.versions.append(version)
        if not Path(store(), "artifacts", run_id or "", "artifacts", CANDIDATE_FILES).is_dir():
            done.missing.append(
                f"the files of version {version}, which are missing from {store() / 'artifacts'}"
            )
    if not connection.execute("SELECT 1 FROM registered_model_tags WHERE key LIKE 'promotion.0%'").fetchone():
        done.missing.append("the history of promotions")


def _insert_runs(connection: sqlite3.Connection, rows: Rows, known: set[str], experiment: int) -> int:
    """Insert rows that are not there yet; returns the number of new runs."""
    before = len(known)
    known |= {row["run_uuid"] for row in rows.get("runs", []) if row.get("lifecycle_stage") != "deleted"}
    for table in (*OF_RUN, *OF_MODEL):
        column = RUN_OF.get(table)
        fitting = [row for row in rows.get(table, []) if column is None or row.get(column) in known]
        _insert(connection, table, [_moved(table, row, experiment) for row in fitting])
    return len(known) - before


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that are not there yet, without columns that this version of MLflow does not have."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for row in rows:
        names = [name for name in row if name in columns]
        told = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" for _ in names)
        values = [row[name] for name in names]
        connection.execute(f"INSERT OR IGNORE INTO {table} ({told}) VALUES ({marks})", values)


def _moved(table: str, row: Mapping[str, Any], experiment: int) -> dict[str, Any]:
    """Return a row with this database's experiment id and with the current addresses of artifacts."""
    moved = dict(row)
    if "experiment_id" in moved:
        moved["experiment_id"] = experiment
    for of, column in ADDRESSES:
        if of == table and moved.get(column):
            _, inside, rest = str(moved[column]).rpartition("/mlruns/artifacts")
            moved[column] = artifacts() + rest if inside else moved[column]
    return moved


def _restore_champion(connection: sqlite3.Connection, done: Rebuilt) -> None:
    """Set the alias to the served version if it is registered; otherwise it stays as recorded."""
    with suppress(ModelError):
        served = Manifest.load(champion())
        query = "SELECT 1 FROM model_versions WHERE CAST(version AS TEXT) = ? AND run_id = ?"
        if connection.execute(query, (served.version, served.run_id)).fetchone():
            connection.execute("DELETE FROM registered_model_aliases WHERE alias = ?", (CHAMPION,))
            alias = {"name": NAME, "alias": CHAMPION, "version": int(served.version)}
            _insert(connection, "registered_model_aliases", [alias])
        else:
            done.missing.append(
                f"version {served.version or '?'} in {champion()}, whose run and artifacts are lost"
            )


def salvaged(path: Path) -> Rows:
    """Return the rows of the project's experiment and model that SQLite can still read; {} without a file."""
    found: Rows = {}
    if not path.exists():
        return found
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        for table in ("experiments", *OF_RUN, *OF_MODEL):
            found[table] = _readable(connection, table)
    ours = {row["experiment_id"] for row in found.pop("experiments", []) if row["name"] == NAME}
    for table in OF_RUN if ours else ():  # rows of other experiments stay in the file that is moved aside
        rows = found.get(table, [])
        found[table] = [row for row in rows if "experiment_id" not in row or row["experiment_id"] in ours]
    for table in OF_MODEL:
        found[table] = [row for row in found.get(table, []) if row.get("name") == NAME]
    return found


def _readable(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """Return the rows before the first damage of a table, and those after the last damage."""
    found: dict[int, dict[str, Any]] = {}
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.Error):
            for row in connection.execute(f"SELECT rowid AS found_at, * FROM {table} ORDER BY rowid {order}"):
                told = dict(row)
                if told.pop("found_at") in found:
                    break
                found[row["found_at"]] = told
    return list(found.values())


def _put_aside() -> Path | None:
    """Rename the database and SQLite's companion files to unused names.

    The database has both names until the new one replaces it, so a kill in between loses nothing.
    """
    if not database().exists():
        return None
    stamp = re.sub(r"\D", "", datetime.now(UTC).isoformat(timespec="milliseconds").partition("+")[0])
    aside = database().with_name(f"mlflow-damaged-{stamp[:8]}-{stamp[8:]}.db")
    for end in BESIDE:  # an old journal must not be applied to the new database
        with suppress(FileNotFoundError):
            database().with_name(database().name + end).rename(aside.with_name(aside.name + end))
    try:
        aside.hardlink_to(database())
    except OSError:  # a file system without hard links
        database().rename(aside)
    return aside
