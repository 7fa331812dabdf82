"""Marks from accepted feedback, which `make learn` has split into training and validation.

Only `make learn` writes data/accepted/pictures. A group of near-duplicates never changes its side,
so a side can be used to judge every model that was trained on none of its groups.
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
NOT_A_DIGIT = CLASSES  # the label of a mark that is not a digit
LEARNT = "learnt.json"  # in a model folder: the groups of accepted feedback that the model was trained on


class Accepted(NamedTuple):
    """n marks: `digits` as in every split but with labels 0..10, and `groups` (n,), their group ids."""

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
        """Read `folder/<side>-accepted.npz`; raises `DataError` if it is missing or damaged."""
        path = path_of(folder, side)
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return cls(Digits(arrays["images"], arrays["labels"]), arrays["groups"])
        except FileNotFoundError:
            raise DataError(f"There is no {path}. `dvc repro preprocess` creates it.") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} is damaged ({error}). `make learn` recreates it.") from error


def path_of(folder: Path, side: Side) -> Path:
    """Return the path of a side's file."""
    return folder / f"{side}-accepted.npz"


def write_learnt(folder: Path, groups: Collection[str]) -> None:
    """Record in a model folder which groups the model was trained on; without any there is no file."""
    if groups:
        write_text(folder / LEARNT, json.dumps(sorted(groups)) + "\n")
    else:
        (folder / LEARNT).unlink(missing_ok=True)


def learnt(folder: Path) -> set[str]:
    """Return the groups that a folder's model was trained on; raises `DataError` if the file is damaged."""
    path = folder / LEARNT
    try:
        return set(map(str, json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return set()
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error}). Promote the model again.") from error
