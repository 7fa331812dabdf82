"""The model in service, and its hot reload while requests arrive."""

# See docs/decisions/hot-swap.md.
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
from service.runtime.trial import self_test
from traffic.counts import Counts
from traffic.slots import REFERENCE, REFERENCE_JSON, Reference

LOOK_SECONDS = 0.5
LOAD_SECONDS = 15.0  # for loading and testing a model; models of this project take 0.2
_CARD_BYTES = 2**20
_REFERENCE_BYTES = 2**20

_logger = logging.getLogger("service")


class Champion:
    """The reader of a model folder, which is replaced when the folder has another model.

    Until the folder has a model that can serve, the model in `default` is used.
    """

    def __init__(self, folder: Path, default: Path = DEFAULT_MODEL) -> None:
        self._folder = folder
        self._default = default
        self._reader: Reader | None = None
        self._card: bytes | None = None
        self._reference: Reference | None = None
        self._has_served = False  # whether a model of `folder` has been in service
        self._seen: object = "nothing yet"  # the fingerprint of the folder when it was last checked

    def reader(self) -> Reader:
        """The reader in service; raises `NoModel` while there is none."""
        if self._reader is None:
            raise NoModel("No model is available, not even the default model. Reinstall the project.")
        return self._reader

    def card(self) -> bytes:
        """The model card as HTML; raises `NoModel` without a model, `NotFound` without a card."""
        self.reader()
        if self._card is None:
            raise NotFound(
                "This model has no model card. `make repro` makes one for each model that it evaluates."
            )
        return self._card

    def reference(self) -> Reference | None:
        """The reference counts of the model in service; None if its folder has none."""
        return self._reference

    def refresh(self) -> None:
        """Load the folder's model if the folder has changed; log and refuse a model that cannot serve."""
        fingerprint = _fingerprint(self._folder)
        if fingerprint == self._seen:
            return
        self._seen = fingerprint
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
        """Serve the default model if no model is in service yet."""
        if self._reader is not None:
            return
        try:
            reader = _loaded(self._default)
        except ModelError as error:
            _logger.error("%s", error)
        else:
            self._take(reader, self._default)
            _logger.info("Watching %s for a model to replace the default model", self._folder)

    async def watch(self) -> None:
        """Poll the folder indefinitely and log errors; models are loaded on a thread."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:
                LOADS.labels("refused").inc()
                _logger.exception("Checking the model folder failed", extra={"serving": self._version()})

    def _take(self, reader: Reader, folder: Path) -> None:
        card = _card(folder, reader.model.manifest)
        reference = _reference(folder, reader.model.manifest)
        if self._reader is not None and reader.model.manifest == self._reader.model.manifest:
            self._card = card or self._card  # in a promotion, the folder may already have the next card
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
    """A model that measures the time of the network."""

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with step("network").time():
            return super().logits(batch)


def _loaded(folder: Path) -> Reader:
    """A reader with the folder's model, which has been tested; raises `ModelError` for every failure.

    The model is loaded on a thread of its own, which is abandoned if loading or testing does not end.
    """
    loaded: Future[Reader] = Future()

    def load() -> None:
        try:
            reader = Reader(_TimedModel.load(folder))
            self_test(reader)
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
            f"The test of the model in {folder} did not finish within {LOAD_SECONDS:.0f} s. Promote another "
            "version and restart the service, because the test is still running."
        ) from None
    except Exception as error:
        raise ModelError(
            f"The model in {folder} cannot be loaded ({error!r}). Promote another version."
        ) from error


def _card(folder: Path, manifest: Manifest) -> bytes | None:
    """The card in the folder if it has this model's SHA-256; during a promotion it may be another's."""
    content = _content(folder / CARD, _CARD_BYTES)
    return content if content and manifest.sha256.encode() in content else None


def _reference(folder: Path, manifest: Manifest) -> Reference | None:
    """The reference counts in the folder, if they are of this model and this version can read them."""
    content = _content(folder / REFERENCE, _REFERENCE_BYTES)
    try:
        found = REFERENCE_JSON.validate_json(content) if content else None
        return found if found and found.model == manifest.sha256 and Counts.of(found.counts) else None
    except ValueError as error:
        _logger.warning(
            "%s is not a drift reference that this version can read: %s", folder / REFERENCE, error
        )
        return None


def _content(path: Path, most_bytes: int) -> bytes | None:
    """The content of a file of at most `most_bytes`; None if it is missing, larger or unreadable."""
    try:
        if not path.is_file() or path.stat().st_size > most_bytes:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _fingerprint(folder: Path) -> object:
    """A value that changes when a file in the folder is added, replaced or removed."""
    try:
        with os.scandir(folder) as entries:
            stats = [(entry.name, _stat(entry)) for entry in entries]
    except OSError:
        return None
    return sorted((name, stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def _stat(entry: os.DirEntry[str]) -> os.stat_result:
    """Stat a file, following a link unless it is dangling, as the lock file of an editor is."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)
