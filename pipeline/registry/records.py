"""Records next to MLflow's database, from which it can be rebuilt: a JSON file per run and one for the model.

A record has the rows of MLflow's tables that belong to a run or to the registered model: parameters, tags,
metrics, curves, data sets, versions, the champion's alias and the history of promotions. The system metrics
(`system/`), which are most of a run's rows, are left out. Runs on a team's server are not recorded here,
because the people who run the server back it up.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pipeline.project.files import locked, write_text
from pipeline.project.paths import NAME, database, store
from pipeline.registry.server import is_elsewhere

Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table; a row maps columns to values."""

_LOGGED = "SELECT model_id FROM logged_models WHERE source_run_id = :of"
OF_RUN = {
    "runs": "run_uuid = :of",
    "params": "run_uuid = :of",
    "tags": "run_uuid = :of",
    "metrics": "run_uuid = :of AND key NOT LIKE 'system/%'",
    "latest_metrics": "run_uuid = :of AND key NOT LIKE 'system/%'",
    "inputs": "destination_id = :of OR source_id = :of",
    "input_tags": "input_uuid IN (SELECT input_uuid FROM inputs WHERE destination_id = :of)",
    "datasets": "dataset_uuid IN (SELECT source_id FROM inputs WHERE destination_id = :of)",
    "logged_models": "source_run_id = :of",
    "logged_model_metrics": "run_id = :of",
    "logged_model_params": f"model_id IN ({_LOGGED})",
    "logged_model_tags": f"model_id IN ({_LOGGED})",
}
OF_MODEL = {
    "registered_models": "name = :of",
    "registered_model_tags": "name = :of",
    "registered_model_aliases": "name = :of",
    "model_versions": "name = :of",
    "model_version_tags": "name = :of",
}
"""MLflow 3's tables, with SQL conditions for the rows that belong to a run or to the registered model."""

MODEL = "registered-model.json"


def folder() -> Path:
    """Return the folder of the records, next to MLflow's database and artifacts."""
    return store() / "records"


def keep_run(run_id: str) -> None:
    """Update the record of a run. A failure is reported on stderr and raises nothing."""
    _keep(OF_RUN, run_id, f"{run_id}.json")


def keep_model() -> None:
    """Update the record of versions, alias and promotions, and create records for runs without one.

    A failure is reported on stderr and raises nothing.
    """
    _keep(OF_MODEL, NAME, MODEL)
    for run_id in _runs_without():
        keep_run(run_id)


def kept() -> Rows:
    """Return all recorded rows; damaged files are reported on stderr and left out."""
    found: Rows = {table: [] for table in (*OF_RUN, *OF_MODEL)}
    for path in sorted(folder().glob("*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))["rows"]
            for table in found:
                found[table] += [dict(row) for row in told.get(table, [])]
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            print(f"{path} cannot be read and is left out: {error}", file=sys.stderr)
    return found


def _keep(tables: Mapping[str, str], of: str, name: str) -> None:
    if is_elsewhere():
        return
    path = folder() / name
    try:
        with locked(folder() / ".lock"):  # otherwise an older state could replace a newer one
            rows = read(database(), tables, of)
            write_text(path, json.dumps({"of": of, "rows": rows}, ensure_ascii=False) + "\n")
    except (OSError, sqlite3.Error) as error:
        print(
            f"{path} cannot be written ({error}). `make rebuild-registry` would restore an older state.",
            file=sys.stderr,
        )


def read(path: Path, tables: Mapping[str, str], of: str) -> Rows:
    """Return the rows of a database that belong to a run or model, without empty tables."""
    found: Rows = {}
    with closing(_opened(path)) as connection:
        connection.row_factory = sqlite3.Row
        for table, condition in tables.items():
            rows = connection.execute(f"SELECT * FROM {table} WHERE {condition}", {"of": of}).fetchall()
            if rows:
                found[table] = [dict(row) for row in rows]
    return found


def _opened(path: Path) -> sqlite3.Connection:
    """Open an existing database; raises `sqlite3.Error` instead of creating one."""
    return sqlite3.connect(f"{path.as_uri()}?mode=rw", timeout=30, uri=True)


def _runs_without() -> list[str]:
    """Return the runs of the experiment that have no record, because they are older than the records."""
    if is_elsewhere():
        return []
    query = (
        "SELECT run_uuid FROM runs JOIN experiments USING (experiment_id)"
        " WHERE experiments.name = ? AND runs.lifecycle_stage = 'active'"
    )
    found: list[str] = []
    with suppress(sqlite3.Error), closing(_opened(database())) as connection:
        found = [run_id for (run_id,) in connection.execute(query, (NAME,))]
    return [run_id for run_id in found if not (folder() / f"{run_id}.json").exists()]
