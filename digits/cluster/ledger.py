"""The ledger of a folder of answers: the inputs that it answers, and whether it is complete."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from digits.cluster.places import Folder
from digits.errors import DigitsError

LEDGER = "_digits.json"  # programs that read a folder of Parquet files skip names that begin with "_"
_PART = "part-"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The content of the ledger file.

    `inputs` are absolute paths or addresses. If it is `complete`, the folder has one answer to each of
    `files` files, `errors` of which could not be read.
    """

    inputs: list[str]
    setting: dict[str, object] = field(default_factory=dict)
    complete: bool = False
    files: int = 0
    errors: int = 0

    def write(self, folder: Folder) -> None:
        with folder.writing(LEDGER) as stream:
            stream.write(json.dumps(asdict(self), indent=1).encode() + b"\n")


def check_inputs(folder: Folder, inputs: Sequence[str]) -> None:
    """Raise `DigitsError` if a folder has the answers to other inputs, which would be mixed up or lost."""
    names = folder.names()
    if LEDGER in names:
        with folder.open(LEDGER) as file:
            theirs = json.load(file)["inputs"]
        if theirs != list(inputs):
            raise DigitsError(
                f"{folder.place} has the answers to {' '.join(theirs)}. Name another folder with --output."
            )
    elif any(name.startswith(_PART) for name in names):
        raise DigitsError(f"{folder.place} has answers of unknown origin. Name another folder with --output.")


def remove_others(folder: Folder, names: set[str]) -> None:
    """Remove the parts that are not in `names`, and leftovers of interrupted writing."""
    for name in folder.names():
        if name.startswith((_PART, f".{_PART}", f".{LEDGER}")) and name not in names:
            folder.remove(name)
