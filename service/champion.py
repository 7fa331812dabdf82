"""The model that is served now."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from digits import Manifest, ModelError, Reader
from digits.ink import FIELD
from service.errors import Busy


class Champion:
    """Holds the reader of a model folder; raises `Busy` for whoever asks while there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None

    def load(self) -> Manifest:
        """Load the folder's model and take it into service; raises `ModelError` and keeps the old one."""
        reader = Reader.load(self._folder)
        _warm(reader)
        self._reader = reader
        return reader.model.manifest

    def reader(self) -> Reader:
        """The reader in service; raises `Busy` while there is none."""
        if self._reader is None:
            raise Busy(
                "There is no model yet: `make repro` makes one, and it is taken up by itself.", "no_model"
            )
        return self._reader


def _warm(reader: Reader) -> None:
    """The first, slow predictions of a model; shows that it takes several digits and gives numbers."""
    try:
        result = reader.model.classify(np.zeros((2, FIELD, FIELD, 1), np.float32))
    except Exception as error:  # onnxruntime's own errors share no public base class
        raise ModelError(
            f"The model does not run on two digits at once ({error}): export another."
        ) from error
    if not np.isfinite(result.probabilities).all():
        raise ModelError("The model gives no finite numbers: export another.")
