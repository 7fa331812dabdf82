"""The registered model as loaded by MLflow: it takes pictures and returns a table of digits.

Each version has a copy of this file, which MLflow imports wherever the version is loaded. Only the package
`digits` is available there, so this module imports nothing from `pipeline`.
"""

# See docs/decisions/registered-model.md.
from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from PIL import Image

from digits.errors import ImageError
from digits.network.contract import FIELD
from digits.pictures import why_unread
from digits.reader import Reader

INPUT = "picture"  # the name in the signature
FULL_INK = 255
AS_ARRAYS = f"Send numbers of shape (n, {FIELD}, {FIELD}), 0 (paper) to {FULL_INK} (full ink), or image files"


def _load_pyfunc(path: str) -> PicturesModel:
    """Load the model folder in a version's files. MLflow calls this function by its name."""
    return PicturesModel(Reader.load(Path(path)))


class PicturesModel:
    """Reads one digit per picture, with the model folder's calibration, threshold and test-time augmentation.

    It is not a subclass of MLflow's `PythonModel`, which warns at each load if `predict` takes several kinds
    of input.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def predict(self, data: Any) -> pd.DataFrame:
        """Return a row per picture: `digit` 0 to 9, `confidence` 0 to 1, or else the reason `rejected`.

        Takes numbers of shape (n, 28, 28), (n, 28, 28, 1) or (28, 28), 0 to 255, bright ink on black as in
        MNIST, or image files of any size and polarity, as bytes or base64 text. Raises `MlflowException` for
        anything else. That includes numbers from 0 to 1, which would look like a faint picture.
        """
        given = np.asarray(data[INPUT] if isinstance(data, Mapping) else data)
        files = _files(given)
        rows = self._of_pixels(pixels(given)) if files is None else self._of_files(files)
        # dtype object, because MLflow's server writes None as null but cannot write pandas' missing integer
        return pd.DataFrame(rows, columns=["digit", "confidence", "rejected"], dtype=object)

    def _of_files(self, files: Sequence[Any]) -> Iterator[tuple[int | None, float | None, str | None]]:
        for place, file in enumerate(files):
            try:
                with Image.open(io.BytesIO(_content(file))) as picture:
                    told = self._reader.predict(picture)
            except ImageError as error:
                raise _refused(f"Picture {place}: {error}") from error
            except Exception as error:  # Pillow's decoders raise many kinds of exceptions
                raise _refused(f"Picture {place}: {why_unread(error)}") from error
            yield told.digit, told.confidence, told.rejected

    def _of_pixels(self, batch: NDArray[np.float32]) -> Iterator[tuple[int | None, float | None, str | None]]:
        model = self._reader.model
        said = model.classify(batch)
        for picture, sure, score in zip(batch, said.probabilities, said.rejection, strict=True):
            if not picture.any():
                yield None, None, "blank"
            elif model.is_rejected(float(score)):
                yield None, None, "not_a_digit"
            else:
                yield int(sure.argmax()), float(sure.max()), None


def pixels(given: NDArray[Any]) -> NDArray[np.float32]:
    """Convert numbers to the network's input (n, 28, 28, 1); raises `MlflowException` if unsuitable."""
    try:
        numbers = np.array(given.tolist()) if given.dtype == object else given
    except ValueError as error:
        raise _refused(f"The pictures have different shapes. {AS_ARRAYS}.") from error
    if numbers.dtype.kind not in "uifb":
        reason = f"An array of {numbers.dtype.name} is not a picture."
        raise _refused(f"{reason} {AS_ARRAYS} as an array of objects.")
    shape = numbers.shape[:-1] if numbers.ndim > 2 and numbers.shape[-1] == 1 else numbers.shape
    if len(shape) not in (2, 3) or shape[-2:] != (FIELD, FIELD):
        raise _refused(f"An array of shape {numbers.shape} is not a batch of pictures. {AS_ARRAYS}.")
    batch = numbers.reshape(-1, FIELD, FIELD, 1).astype(np.float32)
    if not (np.isfinite(batch).all() and batch.min(initial=0) >= 0 and batch.max(initial=0) <= FULL_INK):
        raise _refused(f"There are values outside 0 to {FULL_INK}. {AS_ARRAYS}.")
    if 0 < batch.max(initial=0) <= 1:
        raise _refused(f"No value is above 1, so full ink seems to be 1. Multiply by {FULL_INK}.")
    if ((batch > FULL_INK / 2).mean(axis=(1, 2, 3)) > 0.5).any():
        raise _refused(
            f"A picture is mostly bright, but ink must be bright on black. Send {FULL_INK} - pixels."
        )
    return batch


def _files(given: NDArray[Any]) -> list[Any] | None:
    """Return image files as bytes or text; None for numbers. MLflow's server wraps some files in arrays."""
    if given.dtype != object or given.ndim != 1:
        return None
    plain = [one.item() if isinstance(one, np.ndarray) and not one.ndim else one for one in given]
    return plain if any(isinstance(one, bytes | str) for one in plain) else None


def _content(file: Any) -> bytes:
    """Return the bytes of an image file, decoding base64 text as in JSON."""
    if isinstance(file, str):
        try:
            return base64.b64decode("".join(file.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ImageError("It is text, but not an image file in base64.") from error
    if not isinstance(file, bytes):
        raise ImageError("It is neither bytes nor text. Send the content of an image file.")
    return file


def _refused(sentence: str) -> MlflowException:
    refused: MlflowException = MlflowException.invalid_parameter_value(sentence)  # the server sends 400
    return refused
