"""Problems of the project's own registry, each described in a sentence with its remedy."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import psutil
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.project.errors import RegistryError
from pipeline.project.paths import database, store
from pipeline.project.runner import NO_ROOM, NOT_ALLOWED, disk_trouble
from pipeline.registry import records, server

PATIENCE = 10.0  # seconds to wait while another process has locked the database
REBUILD = "`make rebuild-registry` moves it aside and rebuilds the registry from the artifacts"
DAMAGED = re.compile(  # the last pattern occurs if a kill left only some of MLflow's tables
    "disk image is malformed|malformed database schema|not a database|no such (table|column)"
    r"|table \S+ already exists"
)
LOCKED = re.compile("database( table)? is locked")
READ_ONLY = re.compile("readonly database|unable to open database file")
FULL = "database or disk is full"
FAILING = "disk I/O error"  # SQLite also reports this for a full disk, but never for a damaged file


@contextmanager
def as_registry_error() -> Iterator[None]:
    """Raise `RegistryError` if MLflow, its database or a disk fails in this block."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, MlflowException) as error:
        raise RegistryError(sentence(error)) from error
    except OSError as error:
        if (told := _of_a_file(error)) is None:
            raise
        raise RegistryError(told) from error


def sentence(error: Exception) -> str:
    """Return a sentence on what an error of the registry or a disk means, and what to do about it."""
    if isinstance(error, OSError):
        return _of_a_file(error) or str(error)
    text = str(error) or type(error).__name__
    first = text.splitlines()[0]
    if server.is_elsewhere():  # then the local database is not in use
        return f"The registry failed: {first}"
    if DAMAGED.search(text):
        return f"{database()} is damaged ({_short(first)}). {REBUILD}."
    if LOCKED.search(text):
        return f"{database()} is locked: {_holders()}. Wait for it or end it, and run this again."
    if FULL in text:
        return _no_room()
    if FAILING in text:
        return (
            f"The disk of {database()} is full or failing ({FAILING}). Free some space, and run this again."
            " If that does not help, move the file to another disk and run `make rebuild-registry`."
        )
    if READ_ONLY.search(text):
        return _not_to_be_written(_short(first))
    return f"The registry failed: {first}"


def require_whole() -> None:
    """Raise `RegistryError` if the database is damaged, locked, or missing although runs are on record.

    Without this check MLflow would create a new, empty database for a missing one, and would notice damage
    only when it reads there.
    """
    path = database()
    if not path.exists() or not path.stat().st_size:
        if is_lost():
            raise RegistryError(
                f"{path} is missing, but its content is on record in {records.folder()}."
                f" `make rebuild-registry` rebuilds it. To start without any runs, move {store()} away."
            )
        with as_registry_error():  # MLflow would retry for minutes if it cannot create its file
            TemporaryFile(dir=store()).close()
        return
    if found := damage():
        raise RegistryError(f"{path} is damaged ({found}). {REBUILD}.")


def is_lost() -> bool:
    """Whether the database is missing or empty although runs are on record."""
    path = database()
    return (not path.exists() or not path.stat().st_size) and any(records.folder().glob("*.json"))


def damage() -> str:
    """Return the damage that SQLite finds in the database or ""; raises `RegistryError` if it is locked."""
    try:
        with closing(sqlite3.connect(database(), timeout=PATIENCE)) as connection:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        return "" if told == "ok" else str(told).splitlines()[-1]
    except sqlite3.Error as error:
        if DAMAGED.search(str(error)):
            return str(error)
        raise RegistryError(sentence(error)) from error


def lacks_tables() -> bool:
    """Whether one of MLflow's tables is missing, as after a kill while they were created."""
    with closing(sqlite3.connect(database(), timeout=PATIENCE)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return not found >= {*records.OF_RUN, *records.OF_MODEL}


def holders() -> list[str]:
    """Return visible processes that have the database open, as "12 (python -m pipeline.train)"."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and database() in {Path(one.path) for one in process.open_files()}:
                found.append(f"{process.pid} ({' '.join(process.cmdline())[:80]})")
    return found


def _holders() -> str:
    found = holders()
    return f"process {', '.join(found)} has it open" if found else "another process is writing to it"


def _of_a_file(error: OSError) -> str | None:
    """Return the sentence for an error of a file; None unless it is about space or permissions."""
    if not error.filename or not Path(os.fsdecode(error.filename)).is_relative_to(store()):
        return disk_trouble(error)
    if error.errno in NO_ROOM:
        return _no_room()
    return _not_to_be_written(str(error)) if error.errno in NOT_ALLOWED else f"The registry failed: {error}"


def _no_room() -> str:
    return f"There is no space left on the disk of {store()}. Free some space, and run this again."


def _not_to_be_written(reason: str) -> str:
    return (
        f"{store()} cannot be written ({reason}). Make the folder and everything in it writable for this user"
        " (`ls -la mlruns` shows the owner), and run this again."
    )


def _short(line: str) -> str:
    """Return the message without the class name that SQLAlchemy puts in front."""
    return line.rpartition(") ")[2].strip() or line
