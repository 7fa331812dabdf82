"""What may be wrong with the project's own registry, each said in a sentence that names the way out."""

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

PATIENCE = 10.0  # seconds that another process may hold the database
REBUILD = "`make rebuild-registry` puts it aside and makes the registry anew from the artifacts"
DAMAGED = re.compile(  # the last: a kill left some of MLflow's tables
    "disk image is malformed|malformed database schema|not a database|no such (table|column)"
    r"|table \S+ already exists"
)
LOCKED = re.compile("database( table)? is locked")
READ_ONLY = re.compile("readonly database|unable to open database file")
FULL = "database or disk is full"
FAILING = "disk I/O error"  # what SQLite also says of a full disk, and never of a damaged file


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Raise `RegistryError` where MLflow or its database fails in this block, or a disk takes no more."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, MlflowException) as error:
        raise RegistryError(sentence(error)) from error
    except OSError as error:
        if (told := _of_a_file(error)) is None:
            raise
        raise RegistryError(told) from error


def sentence(error: Exception) -> str:
    """What an error of the registry, or of a disk, means, and what to do about it."""
    if isinstance(error, OSError):
        return _of_a_file(error) or str(error)
    text = str(error) or type(error).__name__
    first = text.splitlines()[0]
    if server.is_elsewhere():  # whatever fails there, it is not the database here
        return f"The registry fails: {first}"
    if DAMAGED.search(text):
        return f"{database()} is damaged ({_short(first)}): {REBUILD}."
    if LOCKED.search(text):
        return f"{database()} is locked: {_holders()}. Wait for it or end it, and run this again."
    if FULL in text:
        return _no_room()
    if FAILING in text:
        return (
            f"The disk under {database()} is full, or fails ({FAILING}): make room, and run this again. Where"
            " that does not help, move the file to another disk and run `make rebuild-registry`."
        )
    if READ_ONLY.search(text):
        return _not_to_be_written(_short(first))
    return f"The registry fails: {first}"


def require_whole() -> None:
    """Raise `RegistryError` where the database is damaged, locked, or lost while records of runs are there.

    Without this check MLflow would make a lost database anew, empty, and find damage only where it reads.
    """
    path = database()
    if not path.exists() or not path.stat().st_size:
        if is_lost():
            raise RegistryError(
                f"{path} is lost, and {records.folder()} holds what was in it: `make rebuild-registry` makes"
                f" it anew. Move {store()} away to begin without any runs."
            )
        with in_a_sentence():  # MLflow would try for minutes where it cannot make its file
            TemporaryFile(dir=store()).close()
        return
    if found := damage():
        raise RegistryError(f"{path} is damaged ({found}): {REBUILD}.")


def is_lost() -> bool:
    """Whether there is no database, or an empty file in its place, although runs were recorded."""
    path = database()
    return (not path.exists() or not path.stat().st_size) and any(records.folder().glob("*.json"))


def damage() -> str:
    """What SQLite finds damaged in the database, "" where it is whole; raises `RegistryError` if locked."""
    try:
        with closing(sqlite3.connect(database(), timeout=PATIENCE)) as connection:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        return "" if told == "ok" else str(told).splitlines()[-1]
    except sqlite3.Error as error:
        if DAMAGED.search(str(error)):
            return str(error)
        raise RegistryError(sentence(error)) from error


def lacks_tables() -> bool:
    """Whether a table of MLflow's is missing: a kill while they were made leaves some."""
    with closing(sqlite3.connect(database(), timeout=PATIENCE)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return not found >= {*records.OF_RUN, *records.OF_MODEL}


def holders() -> list[str]:
    """Other processes that have the database open, as "12 (python -m pipeline.train)", as far as is known."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and database() in {Path(one.path) for one in process.open_files()}:
                found.append(f"{process.pid} ({' '.join(process.cmdline())[:80]})")
    return found


def _holders() -> str:
    found = holders()
    return f"process {', '.join(found)} has it open" if found else "another process writes to it"


def _of_a_file(error: OSError) -> str | None:
    """The sentence for a file, of the store or another; None for an error that is no disk's."""
    if not error.filename or not Path(os.fsdecode(error.filename)).is_relative_to(store()):
        return disk_trouble(error)
    if error.errno in NO_ROOM:
        return _no_room()
    return _not_to_be_written(str(error)) if error.errno in NOT_ALLOWED else f"The registry fails: {error}"


def _no_room() -> str:
    return f"There is no room left on the disk of {store()}: make some, and run this again."


def _not_to_be_written(reason: str) -> str:
    return (
        f"{store()} cannot be written ({reason}): make the folder and all in it writable for this user"
        " (`ls -la mlruns` shows whose it is), and run this again."
    )


def _short(line: str) -> str:
    """The reason without SQLAlchemy's name of its class before it."""
    return line.rpartition(") ")[2].strip() or line
