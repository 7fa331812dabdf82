"""The registry made anew: from the records beside it, what a damaged database still tells, and artifacts.

A row of the records goes before the same one of the damaged database, whose pages nobody can vouch for.
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

BESIDE = ("-journal", "-wal", "-shm")  # how the names end of what SQLite keeps beside a database
RUN_OF = {  # the column of each table that says whose run a row is of
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
    """What came of it: runs by where they come from, versions, and what is not restored."""

    runs: dict[str, int] = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)
    aside: Path | None = None
    missing: list[str] = field(default_factory=list)


def rebuild() -> Rebuilt:
    """Put the database aside, if there is one, under a name with the time, and make one from what is left.

    The new one is complete before it takes the old one's name: a kill leaves one of the two there, and the
    same command goes on.
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
    """A database as MLflow makes it, with the experiment and no run."""
    runs.be_quiet()
    MlflowClient(f"sqlite:///{path}").create_experiment(NAME, artifacts())


def _fill(connection: sqlite3.Connection, done: Rebuilt) -> None:
    """Write all rows that can be had, and say in `done` what they are and what is lacking."""
    (experiment,) = connection.execute(
        "SELECT experiment_id FROM experiments WHERE name = ?", (NAME,)
    ).fetchone()
    known: set[str] = set()
    for source, rows in (("the records", records.kept()), ("the damaged database", salvaged(database()))):
        done.runs[source] = _insert_runs(connection, rows, known, experiment)
    rows = artifact_rows.of_runs_beside(known)
    done.runs["artifacts alone"] = _insert_runs(connection, rows, known, experiment)
    if done.runs["artifacts alone"]:
        done.missing.append(
            "of the runs that are known from artifacts alone: parameters but seed and epochs, and names"
        )
    (loads,) = connection.execute(
        "SELECT count(DISTINCT run_uuid) FROM metrics WHERE key LIKE 'system/%'"
    ).fetchone()
    if loads < len(known):
        done.missing.append(f"the load of processor and memory during {len(known) - loads} of the runs")
    _restore_champion(connection, done)
    for version, run_id in connection.execute("SELECT version, run_id FROM model_versions ORDER BY version"):
        done.versions.append(version)
        if not Path(store(), "artifacts", run_id or "", "artifacts", CANDIDATE_FILES).is_dir():
            done.missing.append(
                f"the files of version {version}, which are gone from {store() / 'artifacts'}"
            )
    if not connection.execute("SELECT 1 FROM registered_model_tags WHERE key LIKE 'promotion.0%'").fetchone():
        done.missing.append("the record of promotions")


def _insert_runs(connection: sqlite3.Connection, rows: Rows, known: set[str], experiment: int) -> int:
    """Insert what is not there yet; gives how many runs are new."""
    before = len(known)
    known |= {row["run_uuid"] for row in rows.get("runs", []) if row.get("lifecycle_stage") != "deleted"}
    for table in (*OF_RUN, *OF_MODEL):
        column = RUN_OF.get(table)
        fitting = [row for row in rows.get(table, []) if column is None or row.get(column) in known]
        _insert(connection, table, [_moved(table, row, experiment) for row in fitting])
    return len(known) - before


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that are not there yet; columns that this MLflow does not have are left out."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for row in rows:
        names = [name for name in row if name in columns]
        told = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" for _ in names)
        values = [row[name] for name in names]
        connection.execute(f"INSERT OR IGNORE INTO {table} ({told}) VALUES ({marks})", values)


def _moved(table: str, row: Mapping[str, Any], experiment: int) -> dict[str, Any]:
    """A row with this database's experiment, and addresses that begin where the artifacts lie now."""
    moved = dict(row)
    if "experiment_id" in moved:
        moved["experiment_id"] = experiment
    for of, column in ADDRESSES:
        if of == table and moved.get(column):
            _, inside, rest = str(moved[column]).rpartition("/mlruns/artifacts")
            moved[column] = artifacts() + rest if inside else moved[column]
    return moved


def _restore_champion(connection: sqlite3.Connection, done: Rebuilt) -> None:
    """Let the alias name the version that is served, where that is one; else the one that was on record."""
    with suppress(ModelError):
        served = Manifest.load(champion())
        query = "SELECT 1 FROM model_versions WHERE CAST(version AS TEXT) = ? AND run_id = ?"
        if connection.execute(query, (served.version, served.run_id)).fetchone():
            connection.execute("DELETE FROM registered_model_aliases WHERE alias = ?", (CHAMPION,))
            alias = {"name": NAME, "alias": CHAMPION, "version": int(served.version)}
            _insert(connection, "registered_model_aliases", [alias])
        else:
            done.missing.append(
                f"version {served.version or '?'} in {champion()}, of which no run and no artifacts are left"
            )


def salvaged(path: Path) -> Rows:
    """The rows of the project's experiment and model that SQLite can still read; none from a lost file."""
    found: Rows = {}
    if not path.exists():
        return found
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda content: content.decode("utf-8", "replace")
        for table in ("experiments", *OF_RUN, *OF_MODEL):
            found[table] = _readable(connection, table)
    ours = {row["experiment_id"] for row in found.pop("experiments", []) if row["name"] == NAME}
    for table in OF_RUN if ours else ():  # those of other experiments stay in the file that is put aside
        rows = found.get(table, [])
        found[table] = [row for row in rows if "experiment_id" not in row or row["experiment_id"] in ours]
    for table in OF_MODEL:
        found[table] = [row for row in found.get(table, []) if row.get("name") == NAME]
    return found


def _readable(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """The rows of a table from its first to the first damage, and from its last back to the last damage."""
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
    """Give the database and what SQLite keeps beside it another name, never another file's.

    The database keeps its old name too until the new one takes it: a kill in between loses no row.
    """
    if not database().exists():
        return None
    stamp = re.sub(r"\D", "", datetime.now(UTC).isoformat(timespec="milliseconds").partition("+")[0])
    aside = database().with_name(f"mlflow-damaged-{stamp[:8]}-{stamp[8:]}.db")
    for end in BESIDE:  # a journal must never meet the new database
        with suppress(FileNotFoundError):
            database().with_name(database().name + end).rename(aside.with_name(aside.name + end))
    try:
        aside.hardlink_to(database())
    except OSError:  # a disk without hard links
        database().rename(aside)
    return aside
