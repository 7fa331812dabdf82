"""The model in service, and how another takes its place while requests come in."""

# Why it is so: docs/decisions/hot-swap.md
from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits import DEFAULT_MODEL, Model, ModelError, Reader
from digits.network.model import MANIFEST, Manifest
from digits.reader import CARD
from service.errors import NoModel, NotFound
from service.runtime.metrics import LOADS, WORKERS, step
from service.runtime.trial import try_out
from traffic.counts import Counts
from traffic.slots import REFERENCE, REFERENCE_JSON, Reference

LOOK_SECONDS = 0.5
LOAD_SECONDS = 15.0  # with the trial; models of this project take 0.2
_CARD_BYTES = 2**20
_REFERENCE_BYTES = 2**20

_logger = logging.getLogger("service")


class Champion:
    """The reader of a model folder; another model in the folder replaces it.

    Until the folder has a model that can serve, the one in `default` does.
    """

    def __init__(self, folder: Path, default: Path = DEFAULT_MODEL) -> None:
        self._folder = folder
        self._default = default
        self._reader: Reader | None = None
        self._card: bytes | None = None
        self._reference: Reference | None = None
        self._has_served = False  # whether a model of the folder, and not the default one, was taken
        self._seen: object = "nothing yet"

    def reader(self) -> Reader:
        """The reader in service; raises `NoModel` while there is none."""
        if self._reader is None:
            raise NoModel("There is no model here, not even the default one: install the project anew.")
        return self._reader

    def card(self) -> bytes:
        """The page about the model in service; raises `NoModel` without one, `NotFound` without a page."""
        self.reader()
        if self._card is None:
            raise NotFound("This model has no card: one is made for each model that `make repro` evaluates.")
        return self._card

    def reference(self) -> Reference | None:
        """What the model in service was measured on; None where its folder does not say."""
        return self._reference

    def refresh(self) -> None:
        """Take up the folder's model if the folder has changed; a model that cannot serve is refused."""
        state = _state(self._folder)
        if state == self._seen:
            return
        self._seen = state
        if not self._has_served and not (self._folder / MANIFEST).exists():
            self._serve_default()
            return
        try:
            reader = _loaded(self._folder)
        except ModelError as error:
            LOADS.labels("refused").inc()
            _logger.error("%s", error, extra={"serving": self._version()})
            self._serve_default()
        else:
            self._has_served = True
            self._take(reader, self._folder)

    def _serve_default(self) -> None:
        """Serve the default model if nothing serves yet."""
        if self._reader is not None:
            return
        try:
            reader = _loaded(self._default)
        except ModelError as error:
            _logger.error("%s", error)
        else:
            self._take(reader, self._default)
            _logger.info("A model that appears in %s takes over", self._folder)

    async def watch(self) -> None:
        """Refresh for ever, whatever happens; loading is done on a thread, so that requests go on."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                LOADS.labels("refused").inc()
                _logger.exception(
                    "The model folder could not be looked at", extra={"serving": self._version()}
                )

    def _take(self, reader: Reader, folder: Path) -> None:
        card = _card(folder, reader.model.manifest)
        reference = _reference(folder, reader.model.manifest)
        if self._reader is not None and reader.model.manifest == self._reader.model.manifest:
            self._card = card or self._card  # the next model's card comes before that model
            self._reference = reference or self._reference
            return
        self._card, self._reference = card, reference
        if self._reader is not None:
            WORKERS.labels(self._version()).set(0)
        self._reader = reader
        WORKERS.labels(self._version()).set(1)
        LOADS.labels("taken").inc()
        _logger.info("Serving model %s", self._version())

    def _version(self) -> str:
        if self._reader is None:
            return ""
        manifest = self._reader.model.manifest
        return manifest.version or manifest.sha256[:12]


class _TimedModel(Model):
    """A model that counts how long the network takes."""

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with step("network").time():
            return super().logits(batch)


def _loaded(folder: Path) -> Reader:
    """A reader with the folder's model, tried out; raises `ModelError`, whatever is wrong with it.

    Loading is done on a thread of its own, which is left behind where the model never comes to an end.
    """
    loaded: Future[Reader] = Future()

    def load() -> None:
        try:
            reader = Reader(_TimedModel.load(folder))
            try_out(reader)
            loaded.set_result(reader)
        except BaseException as error:
            loaded.set_exception(error)

    threading.Thread(target=load, daemon=True, name="load").start()
    try:
        return loaded.result(LOAD_SECONDS)
    except ModelError:
        raise
    except TimeoutError:
        raise ModelError(
            f"The model in {folder} does not answer within {LOAD_SECONDS:.0f} s: promote another, and start "
            "the service anew, since trying it out goes on."
        ) from None
    except Exception as error:
        raise ModelError(f"The model in {folder} cannot be loaded ({error!r}): promote another.") from error


def _card(folder: Path, manifest: Manifest) -> bytes | None:
    """The page in the folder, where it names the model's file: another's may lie there for a moment."""
    content = _content(folder / CARD, _CARD_BYTES)
    return content if content and manifest.sha256.encode() in content else None


def _reference(folder: Path, manifest: Manifest) -> Reference | None:
    """What the folder says the model was measured on, where it is said of this model, and by this version."""
    content = _content(folder / REFERENCE, _REFERENCE_BYTES)
    try:
        found = REFERENCE_JSON.validate_json(content) if content else None
        return found if found and found.model == manifest.sha256 and Counts.of(found.counts) else None
    except ValueError as error:
        _logger.warning("%s is none that this version reads: %s", folder / REFERENCE, error)
        return None


def _content(path: Path, most_bytes: int) -> bytes | None:
    """A file of at most so many bytes; None without it."""
    try:
        if not path.is_file() or path.stat().st_size > most_bytes:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _state(folder: Path) -> object:
    """Something that differs when any file in the folder is added, replaced or removed."""
    try:
        with os.scandir(folder) as entries:
            stats = [(entry.name, _stat(entry)) for entry in entries]
    except OSError:
        return None
    return sorted((name, stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def _stat(entry: os.DirEntry[str]) -> os.stat_result:
    """What a link points at where that is there: an editor's lock is a link to nothing."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)
