"""MLflow's absolute artifact addresses, put right after the project's folder was moved or copied."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from pipeline.project.paths import NAME, artifacts, database

ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Tables and columns of MLflow 3's database that hold addresses of artifacts."""


def relocate() -> bool:
    """Let every address in the project's database begin where it lies now; True where that is new.

    MLflow has no call for it. Without this a moved project's pictures do not open in the UI, and its
    next run writes to where the project was.
    """
    if not database().exists():
        return False
    now = artifacts()
    with closing(sqlite3.connect(database(), timeout=30)) as connection, connection:
        before = _location(connection)
        if before is None or before == now:
            return False
        for table, column in ADDRESSES:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (now, len(before) + 1, len(before), before),
            )
    return True


def is_set_up() -> bool:
    """Whether the project's database is there with all its tables, so that opening it makes none.

    MLflow makes them where they are missing, and two processes that do so at once fail.
    """
    if not database().exists():
        return False
    with closing(sqlite3.connect(database(), timeout=30)) as connection:
        return _location(connection) is not None


def _location(connection: sqlite3.Connection) -> str | None:
    try:
        query = "SELECT artifact_location FROM experiments WHERE name = ?"
        row = connection.execute(query, (NAME,)).fetchone()
    except sqlite3.OperationalError:  # MLflow has not made its tables yet
        return None
    return row[0] if row else None
