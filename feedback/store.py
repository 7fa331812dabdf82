"""The folder that stores feedback, with two files for each picture.

It is safe to use from several processes, and after `kill -9`.
The picture is written and synced first, then its JSON record is renamed into place, then the folder is
synced. The picture counts as stored from that rename on. A picture without a JSON record is a leftover of a
killed process, which `prepare` removes.
"""

# See docs/decisions/feedback.md.
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
_OTHER = re.compile(r"[0-9a-f]{64}\.(?!json)[a-z]+|\.[0-9a-f]{64}\.json|\.trial")  # only files of the store
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Limits:
    """Limits of a store: its pictures, the bytes of all its files, and the bytes left free on the disk."""

    most: int = 10_000
    most_bytes: int = 1000 * MIB
    free_bytes: int = 500 * MIB


class Store:
    """The feedback in one folder, which need not exist before the first picture."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits()

    def prepare(self) -> None:
        """Make the folder, check that it can be written to, and remove leftovers of killed processes.

        Raises `Unusable`, but not if the disk is full, because that may be temporary.
        """
        with suppress(Full), self._locked():
            (self.folder / _TRIAL).write_bytes(b"")
            for path in self._leftovers():
                path.unlink()

    def keep(self, picture: bytes, label: str, answer: str, confidence: float | None, model: str) -> str:
        """Store a picture with its label and return its id. Both are on the disk when this returns.

        The same picture is stored once. A new label replaces the old one until somebody has judged the
        picture. Raises `FeedbackError` for a file that is not a picture, `Full` and `Unusable`. Nothing is
        stored then.
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
        """All records that can be read, oldest first; `damaged` lists the others. Raises `Unusable`."""
        found = [self._record(id) for id in self._ids()]
        return sorted((one for one in found if one), key=lambda one: (one.received, one.id))

    def damaged(self) -> list[Path]:
        """JSON files that cannot be read, or whose picture is missing. Raises `Unusable`."""
        return [self._json(id) for id in self._ids() if self._record(id) is None]

    def count(self) -> int:
        """The number of records, damaged ones included. Raises `Unusable`."""
        return len(self._ids())

    def judge(self, id: str, state: State, label: str | None = None) -> None:
        """Set the state of a picture, and its label if `label` is given.

        Raises `FeedbackError` if no picture has this id, `Full` and `Unusable`.
        """
        with self._locked():
            kept = self._record(id)
            if kept is None:
                raise FeedbackError(f"There is no feedback with the id {id}. `make feedback` lists all ids.")
            self._commit(replace(kept, state=state, label=kept.label if label is None else label))

    def remove(self, ids: Collection[str]) -> None:
        """Delete these pictures and their records; raises `Unusable`."""
        self._remove(lambda id: id in ids)

    def remove_all(self) -> None:
        """Delete all feedback, damaged records included; raises `Unusable`."""
        self._remove(lambda _: True)

    def _remove(self, wanted: Callable[[str], bool]) -> None:
        """Delete the records first, so that a picture left behind by a killed process counts as deleted."""
        if not self.folder.exists():
            return
        with self._locked():
            for id in filter(wanted, self._ids()):
                self._json(id).unlink()
            for path in self._leftovers():  # these now include the pictures
                path.unlink()
            _sync(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock and raise `OSError` as `Full` or `Unusable`. Makes the folder if necessary.

        The lock is released when the process ends, however it ends.
        """
        try:
            if not self.folder.is_dir():  # only the user who runs the service may read it
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        """Write the JSON record to a temporary file and rename it; from then on the picture is stored."""
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
        """The record of a picture; None if it is not stored, or if it is damaged."""
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
                f"{self.limits.most} pictures are stored already. "
                "Export and delete some with `make feedback`, or raise FEEDBACK_MOST."
            )
        if sum(sizes.values()) + size > self.limits.most_bytes:
            raise Full(
                f"The stored pictures fill {self.limits.most_bytes // MIB} MiB already. "
                "Export and delete some with `make feedback`, or raise FEEDBACK_MEGABYTES."
            )
        if shutil.disk_usage(self.folder).free < self.limits.free_bytes + size:
            raise Full(
                f"The disk has less than {self.limits.free_bytes // MIB} MiB left, so the feedback was not "
                "stored. Make room on it, or lower FEEDBACK_FREE_MEGABYTES."
            )

    def _leftovers(self) -> list[Path]:
        """Our files without a JSON record. No process is writing them while the lock is held."""
        ids = set(self._ids())
        others = [self.folder / name for name in self._names() if _OTHER.fullmatch(name)]
        return [path for path in others if path.name.startswith(".") or path.stem not in ids]

    def _json(self, id: str) -> Path:
        return self.folder / f"{id}.json"

    def _ids(self) -> list[str]:
        return [name.removesuffix(".json") for name in filter(_is_record, self._names())]

    def _names(self) -> list[str]:
        """The names of all files; none if the folder does not exist yet."""
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
        return Full("The disk is full, so the feedback was not stored. Make room on it.")
    reason = error.strerror or str(error)
    return Unusable(
        f"Feedback cannot be stored in {folder} ({reason}). Set FEEDBACK_DIR to a writable folder."
    )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
