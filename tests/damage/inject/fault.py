"""Inject a fault into a process at its n-th change of a file: kill it, or fill its disk.

Changes are files that are opened for writing, renamed, linked, removed, made or flushed to the disk, and
statements that change an SQLite database. They are counted, so a fault happens at the same point in each run,
however fast the machine is. Audit hooks do not see writes. To tear a file, the process gets a limit on file
sizes, whose signal ends it in the middle of a write.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

KILL, FILL, TEAR, COUNT = "kill", "fill", "tear", "count"

CHANGES = {  # audit events that change a folder, and how many of their first arguments are paths
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "os.remove": 1,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.truncate": 1,
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
STATEMENTS = ("INSERT", "UPDATE", "DELETE", "COMMIT", "CREATE", "ALTER", "DROP")


@dataclass(frozen=True)
class Fault:
    """A fault in the process that runs the module `where`, at change number `at` below the folder `below`.

    `kind`: KILL kills the process. FILL fills the disk except for `left` bytes. TEAR limits files to `left`
    bytes and kills the process at the next write beyond them. COUNT does nothing, and every process logs its
    number of changes; `where` is then "". `log` gets a line that says where the fault happened, or the number
    of changes. `ballast` is the file that fills the disk. If it is "", FILL limits files to `left` bytes.
    """

    where: str
    kind: str
    at: int
    below: str
    log: str
    left: int = 0
    ballast: str = ""

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def is_meant(fault: Fault) -> bool:
    """Whether the fault is meant for this process."""
    return fault.kind == COUNT or fault.where in sys.orig_argv


def arm(fault: Fault) -> Counter:
    """Watch this process from now on. Call this once, from the main thread."""
    counter = Counter(fault)
    flush, connect = os.fsync, sqlite3.connect

    def fsync(fd: Any) -> None:
        """Count flushes, which raise no audit event."""
        counter.count("os.fsync", str(fd))
        flush(fd)

    def connected(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """Count statements, which raise no audit event. The event of `connect` comes before any of them."""
        connection: sqlite3.Connection = connect(database, *arguments, **options)
        counter.follow(connection, str(database))
        return connection

    os.fsync = fsync
    sqlite3.connect = sqlite3.dbapi2.connect = connected  # type: ignore[assignment]  # it has overloads
    sys.addaudithook(counter.hear)
    if fault.kind == TEAR:
        signal.signal(
            signal.SIGXFSZ, signal.SIG_DFL
        )  # Python ignores the signal by default; only the main thread can change that
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return counter


class Counter:
    """Counts the changes of a process and injects the fault."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._lock = threading.RLock()
        self._busy = False
        self.seen = 0

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Audit hook, which receives every event of the process."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES:
                self._changed(event, path)
        elif event in CHANGES:
            self._changed(event, *arguments[: CHANGES[event]])

    def follow(self, connection: sqlite3.Connection, path: str) -> None:
        """Count the statements that change this database if it is the project's."""
        if not self._is_ours(path):
            return

        def stated(statement: str) -> None:
            if statement.lstrip().upper().startswith(STATEMENTS):
                self.count(statement.split(None, 1)[0], path)

        connection.set_trace_callback(stated)

    def _changed(self, event: str, *paths: object) -> None:
        if any(self._is_ours(path) for path in paths):
            self.count(event, " to ".join(map(str, paths)))

    def _is_ours(self, path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return str(Path(os.fsdecode(path)).absolute()).startswith(self._fault.below)

    def count(self, event: str, what: str) -> None:
        """Count a change, and inject the fault at its number."""
        with self._lock:
            if self._busy:
                return
            self.seen += 1
            if self.seen != self._fault.at or self._fault.kind == COUNT:
                return
            self._busy = True
            self.note({"kind": self._fault.kind, "change": self.seen, "event": event, "what": what})
            self._strike()
            self._busy = False

    def tell(self) -> None:
        """Write the number of changes to the log if the fault is only to count them."""
        if self._fault.kind == COUNT:
            self.note({"command": sys.orig_argv, "changes": self.seen})

    def note(self, told: dict[str, Any]) -> None:
        """Write a line to the log."""
        with Path(self._fault.log).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"where": self._fault.where} | told) + "\n")

    def _strike(self) -> None:
        fault = self._fault
        if fault.kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault.kind == TEAR:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fault.left, fault.left))
        elif fault.ballast:
            fill(Path(fault.ballast), fault.left)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fault.left, fault.left))


def fill(ballast: Path, left: int) -> None:
    """Fill the disk with a file except for `left` bytes."""
    with ballast.open("wb") as file:
        disk = os.statvfs(ballast)
        size = disk.f_bavail * disk.f_frsize - left
        if size > 0:
            os.posix_fallocate(file.fileno(), 0, size)
