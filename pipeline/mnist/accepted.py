"""Pictures that people sent as feedback and somebody accepted: what `make learn` took of them for training.

`make learn` alone writes data/accepted/pictures. Each group of near-duplicates is on one side for ever, so a
model that learnt none of a side's groups may be judged on it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import DataError
from pipeline.project.files import atomic_write, write_text

Side = Literal["train", "validation"]
SIDES: tuple[Side, ...] = ("train", "validation")
NOT_A_DIGIT = CLASSES  # the label of a mark that is no digit
LEARNT = "learnt.json"  # in a model folder, where the training saw accepted pictures: their groups


class Accepted(NamedTuple):
    """n marks: `digits` as every split has them, labels 0..10, and `groups` (n,), the group of each."""

    digits: Digits
    groups: NDArray[np.str_]

    @classmethod
    def none(cls) -> Self:
        return cls(Digits(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)), np.zeros(0, "U64"))

    def save(self, folder: Path, side: Side) -> None:
        """Write `folder/<side>-accepted.npz`, whole or not at all."""
        with atomic_write(path_of(folder, side)) as temporary:
            np.savez(temporary, images=self.digits.images, labels=self.digits.labels, groups=self.groups)

    @classmethod
    def load(cls, folder: Path, side: Side) -> Self:
        """Read `folder/<side>-accepted.npz`; raises `DataError` where it is missing or damaged."""
        path = path_of(folder, side)
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return cls(Digits(arrays["images"], arrays["labels"]), arrays["groups"])
        except FileNotFoundError:
            raise DataError(f"There is no {path}: `dvc repro preprocess` makes it.") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is damaged ({error}): `make learn` makes it anew.") from error


def path_of(folder: Path, side: Side) -> Path:
    """The file of a side."""
    return folder / f"{side}-accepted.npz"


def write_learnt(folder: Path, groups: Collection[str]) -> None:
    """Say in a model folder which groups its training saw; no file where it saw none."""
    if groups:
        write_text(folder / LEARNT, json.dumps(sorted(groups)) + "\n")
    else:
        (folder / LEARNT).unlink(missing_ok=True)


def learnt(folder: Path) -> set[str]:
    """The groups that the training of a folder's model saw; raises `DataError` where the file is damaged."""
    path = folder / LEARNT
    try:
        return set(map(str, json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}): promote the model again.") from error
