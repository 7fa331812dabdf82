"""The folder that keeps feedback: two files a picture, safe for several processes and for `kill -9`.

The picture is written and synced first, then its JSON is renamed into place, then the folder is synced: a
picture is kept from that rename on. What lies there without a JSON is a leftover, which `prepare` removes.
"""

# Why it is so: docs/decisions/feedback.md
from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from feedback.errors import FeedbackError, Full, Unusable
from feedback.record import Kept, State, as_json, ending, of_json

MIB = 2**20
_LOCK = ".lock"
_TRIAL = ".trial"
_RECORD = re.compile(r"[0-9a-f]{64}\.json")
_OTHER = re.compile(r"[0-9a-f]{64}\.(?!json)[a-z]+|\.[0-9a-f]{64}\.json|\.trial")  # no file but our own
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Limits:
    """How much is kept at most: pictures, the bytes of all files, and what has to stay free on the disk."""

    most: int = 10_000
    most_bytes: int = 1000 * MIB
    free_bytes: int = 500 * MIB


class Store:
    """The feedback in one folder, which need not be there before the first picture."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits()

    def prepare(self) -> None:
        """Make the folder, try whether it can be written to, and remove what killed processes left.

        Raises `Unusable`; a full disk is none, since that may pass.
        """
        with suppress(Full), self._locked():
            (self.folder / _TRIAL).write_bytes(b"")
            for path in self._leftovers():
                path.unlink()

    def keep(self, picture: bytes, label: str, answer: str, confidence: float | None, model: str) -> str:
        """Keep a picture with its label, and give its id; on the disk when this returns.

        The same picture again is still one: while nobody has judged it, what is said last counts.
        Raises `FeedbackError` for other files than pictures, `Full` and `Unusable`: nothing is kept then.
        """
        sha256 = hashlib.sha256(picture).hexdigest()
        file = f"{sha256}.{ending(picture)}"
        now = datetime.now(UTC).isoformat(timespec="seconds")
        kept = Kept(sha256, file, label, answer, confidence, model, now, "new")
        with self._locked():
            before = self._record(sha256)
            if before is None:
                self._require_room(len(picture))
                self._write_new(kept, picture)
            elif before.state == "new":
                self._commit(kept)
        return sha256

    def kept(self) -> list[Kept]:
        """All that is kept, the oldest first; `damaged` says what is left out. Raises `Unusable`."""
        found = [self._record(id) for id in self._ids()]
        return sorted((one for one in found if one), key=lambda one: (one.received, one.id))

    def damaged(self) -> list[Path]:
        """JSON files that cannot be read, or whose picture is gone."""
        return [self._json(id) for id in self._ids() if self._record(id) is None]

    def count(self) -> int:
        """How many pictures are kept; raises `Unusable`."""
        return len(self._ids())

    def judge(self, id: str, state: State, label: str | None = None) -> None:
        """Set the state of a picture, and with `label` what it shows.

        Raises `FeedbackError` where nothing of that id is kept, `Full` and `Unusable`.
        """
        with self._locked():
            kept = self._record(id)
            if kept is None:
                raise FeedbackError(f"No feedback has the id {id}: `make feedback` lists all.")
            self._commit(replace(kept, state=state, label=kept.label if label is None else label))

    def remove(self, ids: Collection[str]) -> None:
        """Delete these pictures and all that is known of them; raises `Unusable`."""
        self._remove(lambda id: id in ids)

    def remove_all(self) -> None:
        """Delete all feedback, also what is damaged; raises `Unusable`."""
        self._remove(lambda _: True)

    def _remove(self, wanted: Callable[[str], bool]) -> None:
        """Delete the JSON first: a picture that is left by a killed process counts as deleted."""
        if not self.folder.exists():
            return
        with self._locked():
            for id in filter(wanted, self._ids()):
                self._json(id).unlink()
            for path in self._leftovers():  # the pictures too, now
                path.unlink()
            _sync(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock; the system's errors become ours. The end of a process releases the lock."""
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(
                    mode=0o700, parents=True, exist_ok=True
                )  # only for whoever runs the service
                _sync(self.folder.parent)
            with (self.folder / _LOCK).open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise _ours(error, self.folder) from error

    def _write_new(self, kept: Kept, picture: bytes) -> None:
        path = kept.picture(self.folder)
        try:
            with path.open("wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            self._commit(kept)
        except OSError:
            if self._record(kept.id) is None:
                path.unlink(missing_ok=True)
            raise

    def _commit(self, kept: Kept) -> None:
        """Write the JSON beside its place and rename it: from then on the picture is kept, as it says."""
        temporary = self.folder / f".{kept.id}.json"
        try:
            with temporary.open("wb") as file:
                file.write(as_json(kept))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._json(kept.id))
        finally:
            temporary.unlink(missing_ok=True)
        _sync(self.folder)

    def _record(self, id: str) -> Kept | None:
        """What is known of a picture; None where it is not kept, or damaged."""
        try:
            kept = of_json(self._json(id).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return kept if kept.id == id and kept.picture(self.folder).is_file() else None

    def _require_room(self, size: int) -> None:
        with os.scandir(self.folder) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries}
        if sum(map(_is_record, sizes)) >= self.limits.most:
            raise Full(
                f"{self.limits.most} pictures are kept already: `make feedback` exports and deletes them, "
                "FEEDBACK_MOST allows more."
            )
        if sum(sizes.values()) + size > self.limits.most_bytes:
            raise Full(
                f"The pictures kept fill {self.limits.most_bytes // MIB} MiB already: `make feedback` exports"
                " and deletes them, FEEDBACK_MEGABYTES allows more."
            )
        if shutil.disk_usage(self.folder).free < self.limits.free_bytes + size:
            raise Full(
                f"The disk has less than {self.limits.free_bytes // MIB} MiB left, so nothing more is kept: "
                "make room on it, or set FEEDBACK_FREE_MEGABYTES lower."
            )

    def _leftovers(self) -> list[Path]:
        """Files that no JSON stands for, which nobody is writing while the lock is held."""
        ids = set(self._ids())
        others = [self.folder / name for name in self._names() if _OTHER.fullmatch(name)]
        return [path for path in others if path.name.startswith(".") or path.stem not in ids]

    def _json(self, id: str) -> Path:
        return self.folder / f"{id}.json"

    def _ids(self) -> list[str]:
        return [name.removesuffix(".json") for name in filter(_is_record, self._names())]

    def _names(self) -> list[str]:
        """The names of all files; none where there is no folder yet."""
        try:
            with os.scandir(self.folder) as entries:
                return [entry.name for entry in entries]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _ours(error, self.folder) from error


def _is_record(name: str) -> bool:
    return _RECORD.fullmatch(name) is not None


def _ours(error: OSError, folder: Path) -> FeedbackError:
    if error.errno in _NO_ROOM:
        return Full("The disk is full, so the feedback is not kept: make room on it.")
    reason = error.strerror or str(error)
    return Unusable(
        f"Feedback cannot be kept in {folder} ({reason}): set FEEDBACK_DIR to a folder that can be written."
    )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
