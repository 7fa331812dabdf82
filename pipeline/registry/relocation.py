"""Correct MLflow's absolute artifact addresses after the project's folder was moved or copied."""

# See docs/decisions/artifact-addresses.md.
from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import unquote, urlsplit

from pipeline.project.paths import IN_CONTAINERS, NAME, artifacts, database, is_mounted

ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow 3's database with addresses of artifacts."""

FROM_CONTAINERS = (IN_CONTAINERS / "mlruns" / "artifacts").as_uri()


def relocate() -> bool:
    """Change all addresses in the project's database to its current folder; returns whether any changed.

    MLflow has no function for this. Without it, pictures of a moved project do not open in the UI, and its
    next run writes to the old folder. In a container nothing is changed, because a process on the host may be
    using the database, and the container finds the artifacts anyway (`pipeline/registry/mounted.py`).
    """
    if is_mounted() or not database().exists():
        return False
    now = artifacts()
    with closing(sqlite3.connect(database(), timeout=30)) as connection, connection:
        before = _location(connection)
        if before is None or not before.startswith(("file:", "/")):
            return False
        # MLflow's server writes plain paths if it was started with one.
        begun = {start for address in (before, FROM_CONTAINERS) for start in (address, _path(address))}
        stale = [
            (table, column, start)
            for table, column in ADDRESSES
            for start in sorted(begun - {now})
            if connection.execute(
                f"SELECT 1 FROM {table} WHERE {_begins(column)} LIMIT 1", {"start": start}
            ).fetchone()
        ]
        for (
            table,
            column,
            start,
        ) in stale:  # after the SELECTs, because an UPDATE locks the database even if it changes nothing
            connection.execute(
                f"UPDATE {table} SET {column} = :now || substr({column}, length(:start) + 1)"
                f" WHERE {_begins(column)}",
                {"now": now, "start": start},
            )
    return bool(stale)


def is_set_up() -> bool:
    """Whether the project's database has MLflow's tables, so that opening it does not create them.

    MLflow creates missing tables, and two processes that do so concurrently fail.
    """
    if not database().exists():
        return False
    with closing(sqlite3.connect(database(), timeout=30)) as connection:
        return _location(connection) is not None


def _begins(column: str) -> str:
    """Return SQL for whether a column is the address `:start` or an address below it."""
    return f"substr({column} || '/', 1, length(:start) + 1) = :start || '/'"


def _path(address: str) -> str:
    return unquote(urlsplit(address).path)


def _location(connection: sqlite3.Connection) -> str | None:
    try:
        query = "SELECT artifact_location FROM experiments WHERE name = ?"
        row = connection.execute(query, (NAME,)).fetchone()
    except sqlite3.OperationalError:  # MLflow has not made its tables yet
        return None
    return row[0] if row else None
