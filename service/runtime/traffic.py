"""Hourly counts of the pictures that all workers read, without the pictures.

Each worker writes its own counts into one file per hour in TRAFFIC_DIR, and the worker that is asked adds up
all files there. Without TRAFFIC_DIR, a worker knows only its own counts.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import re
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from digits import Look, Prediction, Reading
from service.runtime import metrics
from traffic.counts import Counts
from traffic.drift import AGAINST, Against, Comparison, comparisons, judged
from traffic.features import FEATURES, KINDS
from traffic.slots import KEPT_HOURS, SLOT, Reference, Slot
from traffic.windows import Windows, hours_ago

WRITE_SECONDS = 5.0
WINDOW_HOURS = 24
"""The window of the gauges, and the default of `make drift`."""
MOST_FILES = 5000
"""Upper limit on the number of files, in case workers restart in a loop."""
_FILE = r"\d{10}-[0-9a-f]{12}\.json"

_logger = logging.getLogger("service")


class _Own(NamedTuple):
    """This worker's counts of one model in one hour, and the name of their file."""

    file: str
    counts: Counts


class Traffic:
    """The counts of one worker, and of all workers that write into the same folder. Thread-safe."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._own: dict[tuple[int, str], _Own] = {}  # by hour and model
        self._changed: set[tuple[int, str]] = set()
        self._tidied = 0  # the hour of the last deletion of old files
        self._fails = False

    def add_prediction(self, model: str, prediction: Prediction, look: Look, pixels: int) -> None:
        """Count a picture of one digit; `model` is the model's SHA-256, `pixels` the picture's size."""
        with self._lock:
            self._present(model).add_prediction(prediction, look, pixels)

    def add_reading(self, model: str, reading: Reading, look: Look, pixels: int) -> None:
        """Count a picture of any number of digits."""
        with self._lock:
            self._present(model).add_reading(reading, look, pixels)

    def slots(self) -> list[Slot]:
        """All counts, per hour and model, oldest first."""
        self.write()
        together: dict[tuple[int, str], Counts] = {}
        for slot in self._kept():
            try:
                together.setdefault((slot.start, slot.model), Counts()).add(slot.counts)
            except ValueError:  # a file by another version of the project
                continue
        return [Slot(start, model, counts.histograms) for (start, model), counts in sorted(together.items())]

    def write(self) -> None:
        """Write all counts that have changed; what fails is retried with the next call."""
        with self._writing:
            with self._lock:
                changed = [
                    (self._own[key].file, _slot(key, self._own[key].counts)) for key in sorted(self._changed)
                ]
                self._changed.clear()
            try:
                if self._folder is not None:
                    self._write(self._folder, changed)
                self._fails = False
            except OSError as error:
                with self._lock:
                    self._changed |= {(slot.start, slot.model) for _, slot in changed}
                if not self._fails:
                    _logger.warning("Traffic counts cannot be written to %s: %s", self._folder, error)
                self._fails = True
            self._forget()

    def _write(self, folder: Path, changed: Iterable[tuple[str, Slot]]) -> None:
        """Write these slots under their names, and once an hour delete old and surplus files."""
        for name, slot in changed:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / name, slot)
        if self._tidied != hours_ago(0):
            _tidy(folder)
            self._tidied = hours_ago(0)

    async def keep_writing(self) -> None:
        """Write every `WRITE_SECONDS`, indefinitely."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await asyncio.to_thread(self.write)

    def _present(self, model: str) -> Counts:
        key = (hours_ago(0), model)
        self._changed.add(key)
        if key not in self._own:
            self._own[key] = _Own(f"{key[0]:010d}-{uuid.uuid4().hex[:12]}.json", Counts())
        return self._own[key].counts

    def _forget(self) -> None:
        """Drop past hours that have been written, and hours that are too old."""
        with self._lock:
            over = (
                {key for key in self._own if key[0] < hours_ago(1)} - self._changed if self._folder else set()
            )
            for key in over | {key for key in self._own if key[0] < hours_ago(KEPT_HOURS)}:
                del self._own[key]
                self._changed.discard(key)

    def _kept(self) -> Iterator[Slot]:
        """All slots of the folder; this worker's own come from memory, because its files lag behind."""
        with self._lock:
            own = {one.file: _slot(key, one.counts) for key, one in self._own.items()}
        yield from own.values()
        if self._folder is not None:
            yield from _read(path for path in _files(self._folder) if path.name not in own)


def show(slots: Iterable[Slot], model: str, reference: Reference | None) -> None:
    """Set the gauges: the distance of the last day from the model's reference and from the days before."""
    windows = Windows.of(slots, model, WINDOW_HOURS)
    for kind in KINDS:
        metrics.DRIFT_PICTURES.labels(kind).set(windows.last.pictures(kind))
    for against in AGAINST:
        compared = _compared(windows, reference, against)
        for kind, name in ((own, name) for own in KINDS for name in FEATURES[own]):
            # NaN if unknown, because the shared files keep the old values of a label.
            one = compared.get((kind, name))
            metrics.DRIFT_DISTANCE.labels(against, kind, name).set(one.distance if one else math.nan)
            metrics.DRIFT.labels(against, kind, name).set(one.drifted if one else math.nan)


def _compared(
    windows: Windows, reference: Reference | None, against: Against
) -> dict[tuple[str, str], Comparison]:
    if reference is None:
        return {}
    other = Counts.of(reference.counts) if against == "reference" else windows.before
    found = judged(comparisons(windows.last, other), reference.critical)
    return {(one.kind, one.name): one for one in found}


def _slot(key: tuple[int, str], counts: Counts) -> Slot:
    copied = {
        kind: {name: list(bins) for name, bins in own.items()} for kind, own in counts.histograms.items()
    }
    return Slot(*key, copied)


def _write(path: Path, slot: Slot) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(SLOT.dump_json(slot))
    temporary.replace(path)


def _read(files: Iterable[Path]) -> Iterator[Slot]:
    """The slots in these files, without hours that are too old, or in the future because of a wrong clock."""
    first, last = hours_ago(KEPT_HOURS), hours_ago(-1)  # another machine's clock may be slightly ahead
    for path in files:
        if first <= int(path.name[:10]) <= last:
            try:
                yield SLOT.validate_json(path.read_bytes())
            except (OSError, ValidationError):  # deleted meanwhile, or not written by this module
                continue


def _tidy(folder: Path) -> None:
    """Delete files that are too old, left over or above `MOST_FILES`."""
    files = _files(folder)
    old = [path for path in files if int(path.name[:10]) < hours_ago(KEPT_HOURS)]
    left = [
        path for path in _files(folder, ".new") if int(path.name[:10]) < hours_ago(1)
    ]  # left by killed workers
    for path in {*old, *left, *files[:-MOST_FILES]}:
        path.unlink(missing_ok=True)


def _files(folder: Path, ending: str = "") -> list[Path]:
    """The files of counts, oldest first; empty if the folder is missing or unreadable.

    `ending`: a suffix after the usual file name.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(one.path) for one in entries if re.fullmatch(_FILE + re.escape(ending), one.name)
            )
    except OSError:
        return []


TRAFFIC = Traffic(Path(os.environ["TRAFFIC_DIR"]) if os.environ.get("TRAFFIC_DIR") else None)
"""The counts of this process."""
