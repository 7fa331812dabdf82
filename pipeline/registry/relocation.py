"""MLflow's absolute artifact addresses, put right after the project's folder was moved or copied."""

# Why it is so: docs/decisions/artifact-addresses.md
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
"""Tables and columns of MLflow 3's database that hold addresses of artifacts."""

FROM_CONTAINERS = (IN_CONTAINERS / "mlruns" / "artifacts").as_uri()


def relocate() -> bool:
    """Let every address in the project's database begin where it lies now; True where that is new.

    MLflow has no call for it. Without this a moved project's pictures do not open in the UI, and its
    next run writes to where the project was. A container changes nothing: the host may be at work, and
    the container finds everything as it is (`pipeline/registry/mounted.py`).
    """
    if is_mounted() or not database().exists():
        return False
    now = artifacts()
    with closing(sqlite3.connect(database(), timeout=30)) as connection, connection:
        before = _location(connection)
        if before is None or not before.startswith(("file:", "/")):
            return False
        # MLflow's server writes plain paths where it was given one.
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
        ) in stale:  # only now, as an UPDATE locks the database also where it changes nothing
            connection.execute(
                f"UPDATE {table} SET {column} = :now || substr({column}, length(:start) + 1)"
                f" WHERE {_begins(column)}",
                {"now": now, "start": start},
            )
    return bool(stale)


def is_set_up() -> bool:
    """Whether the project's database is there with all its tables, so that opening it makes none.

    MLflow makes them where they are missing, and two processes that do so at once fail.
    """
    if not database().exists():
        return False
    with closing(sqlite3.connect(database(), timeout=30)) as connection:
        return _location(connection) is not None


def _begins(column: str) -> str:
    """SQL that says whether a column is the address `:start`, or lies below it."""
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
