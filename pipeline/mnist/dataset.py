"""Images with their labels: one split of the data, stored in a file that every later stage reads."""

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
# The sets that preprocess draws in addition to each split.
DRAWN_SETS = ("prototypes", "redrawn", "negatives", "spoilt", "scans")
SUMMARY = "summary.json"


class Digits(NamedTuple):
    """n digits: `images` uint8 (n, 28, 28), bright ink on black, and `labels` uint8 (n,), 0..9.

    Synthetic sets may also have marks that are not digits, with the label 10.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @property
    def total(self) -> int:
        """The number of digits n. (`len()` of this pair is 2.)"""
        return len(self.labels)

    def take(self, chosen: NDArray[np.intp]) -> Digits:
        """Return the digits at the indices `chosen`, in that order."""
        return Digits(self.images[chosen], self.labels[chosen])

    def per_class(self) -> list[int]:
        """Return the number of images of each of the ten digits, and of other marks if there are any."""
        return [int(count) for count in np.bincount(self.labels, minlength=CLASSES)]

    def sha256(self) -> str:
        """Return a hash of the images and labels, which does not depend on the file format."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def save(self, folder: Path, split: str) -> None:
        """Write `folder/<split>.npz`, whole or not at all.

        The file is not compressed, so its bytes and dvc.lock do not depend on the machine's zlib.
        """
        with atomic_write(folder / f"{split}.npz") as temporary:
            np.savez(temporary, images=self.images, labels=self.labels)

    @classmethod
    def load(cls, folder: Path, split: str) -> Digits:
        """Read `folder/<split>.npz`; raises `DataError` if the file is missing or damaged."""
        path = folder / f"{split}.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return cls(arrays["images"], arrays["labels"])
        except FileNotFoundError:
            raise DataError(f"There is no {path}. `dvc repro preprocess` creates it.") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} is damaged ({error}). `dvc repro -f preprocess` recreates it."
            ) from error


def drawn_name(split: str, kind: str) -> str:
    """Return the name of one of a split's `DRAWN_SETS`, for `Digits.save` and `Digits.load`."""
    return f"{split}-{kind}"


def load_drawn(folder: Path, split: str, kind: str) -> Digits:
    """Load one of the `DRAWN_SETS` of a split; raises `DataError` if it is missing or damaged."""
    return Digits.load(folder, drawn_name(split, kind))


def data_sha256(folder: Path) -> str:
    """Return the hash of all splits, from preprocess's `folder/summary.json`; raises `DataError`."""
    path = folder / SUMMARY
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}). `dvc repro -f preprocess` recreates it.") from error
