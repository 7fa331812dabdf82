"""The registered model, as MLflow loads it: pictures in, a table of digits out.

Each version holds a copy of this file, which MLflow imports wherever the version is loaded, with the package
`digits` beside it and nothing else of this project. So it imports nothing of `pipeline`.
"""

# Why it is so: docs/decisions/registered-model.md
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
AS_ARRAYS = f"give numbers of shape (n, {FIELD}, {FIELD}), 0 (paper) to {FULL_INK} (full ink), or image files"


def _load_pyfunc(path: str) -> PicturesModel:
    """What MLflow calls with the model folder in the version's files."""
    return PicturesModel(Reader.load(Path(path)))


class PicturesModel:
    """Reads one digit a picture, calibrated, with the threshold and the views that the model folder says.

    No `PythonModel` of MLflow's: that warns, at each load, of a `predict` that takes several kinds of input.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def predict(self, data: Any) -> pd.DataFrame:
        """A row a picture: `digit` 0 to 9, `confidence` 0 to 1, and `rejected` where there is neither.

        Takes numbers of shape (n, 28, 28), (n, 28, 28, 1) or (28, 28), 0 to 255, ink bright on black, as
        MNIST has them; or files of pictures of any size and polarity, as bytes or as base64 text. Raises
        `MlflowException` with what to do for anything else, numbers of 0 to 1 among that: they would be taken
        for a faint picture.
        """
        given = np.asarray(data[INPUT] if isinstance(data, Mapping) else data)
        files = _files(given)
        rows = self._of_pixels(pixels(given)) if files is None else self._of_files(files)
        # Objects: MLflow's server writes None as null, and cannot write pandas' own missing integer.
        return pd.DataFrame(rows, columns=["digit", "confidence", "rejected"], dtype=object)

    def _of_files(self, files: Sequence[Any]) -> Iterator[tuple[int | None, float | None, str | None]]:
        for place, file in enumerate(files):
            try:
                with Image.open(io.BytesIO(_content(file))) as picture:
                    told = self._reader.predict(picture)
            except ImageError as error:
                raise _refused(f"Picture {place}: {error}") from error
            except Exception as error:  # Pillow's decoders raise their own
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
    """Numbers as the network takes them, (n, 28, 28, 1); raises `MlflowException` for anything else."""
    try:
        numbers = np.array(given.tolist()) if given.dtype == object else given
    except ValueError as error:
        raise _refused(f"The pictures have different shapes: {AS_ARRAYS}.") from error
    if numbers.dtype.kind not in "uifb":
        raise _refused(f"An array of {numbers.dtype.name} is no picture: {AS_ARRAYS} as an array of objects.")
    shape = numbers.shape[:-1] if numbers.ndim > 2 and numbers.shape[-1] == 1 else numbers.shape
    if len(shape) not in (2, 3) or shape[-2:] != (FIELD, FIELD):
        raise _refused(f"An array of shape {numbers.shape} is no batch of pictures: {AS_ARRAYS}.")
    batch = numbers.reshape(-1, FIELD, FIELD, 1).astype(np.float32)
    if not (np.isfinite(batch).all() and batch.min(initial=0) >= 0 and batch.max(initial=0) <= FULL_INK):
        raise _refused(f"There are values outside 0 to {FULL_INK}: {AS_ARRAYS}.")
    if 0 < batch.max(initial=0) <= 1:
        raise _refused(f"No value is above 1, so full ink is taken to be 1: multiply by {FULL_INK}.")
    if ((batch > FULL_INK / 2).mean(axis=(1, 2, 3)) > 0.5).any():
        raise _refused(
            f"A picture is mostly bright, and ink is bright on black here: give {FULL_INK} - pixels."
        )
    return batch


def _files(given: NDArray[Any]) -> list[Any] | None:
    """Image files, as bytes or text; None where it is numbers. MLflow's server wraps some in arrays."""
    if given.dtype != object or given.ndim != 1:
        return None
    plain = [one.item() if isinstance(one, np.ndarray) and not one.ndim else one for one in given]
    return plain if any(isinstance(one, bytes | str) for one in plain) else None


def _content(file: Any) -> bytes:
    """The bytes of an image file; JSON has them as base64."""
    if isinstance(file, str):
        try:
            return base64.b64decode("".join(file.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ImageError("It is text, and no base64 of an image file.") from error
    if not isinstance(file, bytes):
        raise ImageError("It holds no bytes: give the content of an image file.")
    return file


def _refused(sentence: str) -> MlflowException:
    refused: MlflowException = MlflowException.invalid_parameter_value(sentence)  # 400 of MLflow's server
    return refused
