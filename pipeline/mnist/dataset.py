"""Digits with their labels: one split of the data, as a file that every later stage reads."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES
from pipeline.project.errors import DataError
from pipeline.project.files import atomic_write

SPLITS = ("train", "validation", "test")
# What preprocess draws beside each split.
DRAWN_SETS = ("prototypes", "redrawn", "negatives", "spoilt", "scans")
SUMMARY = "summary.json"


class Digits(NamedTuple):
    """n digits: `images` uint8 (n, 28, 28), ink bright on black, and `labels` uint8 (n,), 0..9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @property
    def total(self) -> int:
        """n; `len()` of a pair is 2."""
        return len(self.labels)

    def take(self, chosen: NDArray[np.intp]) -> Digits:
        """Those at the positions `chosen`, in that order."""
        return Digits(self.images[chosen], self.labels[chosen])

    def per_class(self) -> list[int]:
        """How many there are of each of the ten digits."""
        return [int(count) for count in np.bincount(self.labels, minlength=CLASSES)]

    def sha256(self) -> str:
        """A hash of the content, whatever file it lies in."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def save(self, folder: Path, split: str) -> None:
        """Write `folder/<split>.npz`, whole or not at all.

        Not compressed: the bytes then do not depend on the machine's zlib, so neither does dvc.lock.
        """
        with atomic_write(folder / f"{split}.npz") as temporary:
            np.savez(temporary, images=self.images, labels=self.labels)

    @classmethod
    def load(cls, folder: Path, split: str) -> Digits:
        """Read `folder/<split>.npz`; raises `DataError` where there is no such file or it is damaged."""
        path = folder / f"{split}.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return cls(arrays["images"], arrays["labels"])
        except FileNotFoundError:
            raise DataError(f"There is no {path}: `dvc repro preprocess` makes it.") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} is damaged ({error}): `dvc repro -f preprocess` makes it anew."
            ) from error


def drawn_name(split: str, kind: str) -> str:
    """The name of one of the `DRAWN_SETS` of a split: as `Digits.save` and `Digits.load` take it."""
    return f"{split}-{kind}"


def load_drawn(folder: Path, split: str, kind: str) -> Digits:
    """One of the `DRAWN_SETS` of a split; raises `DataError` where it is missing or damaged."""
    return Digits.load(folder, drawn_name(split, kind))


def data_sha256(folder: Path) -> str:
    """The hash of all splits together, as preprocess wrote it into `folder/summary.json`."""
    path = folder / SUMMARY
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({error}): `dvc repro -f preprocess` makes it.") from error
