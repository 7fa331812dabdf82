"""What a folder of answers says of itself: whose answers they are, and whether all are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from digits.cluster.places import Folder
from digits.errors import DigitsError

LEDGER = "_digits.json"  # programs that read a folder of Parquet files leave out what begins so
_PART = "part-"


@dataclass(frozen=True, slots=True)
class Ledger:
    """`inputs` as absolute places. `complete`: there is one answer to every file, to the counts beside it."""

    inputs: list[str]
    setting: dict[str, object] = field(default_factory=dict)
    complete: bool = False
    files: int = 0
    errors: int = 0

    def write(self, folder: Folder) -> None:
        with folder.writing(LEDGER) as stream:
            stream.write(json.dumps(asdict(self), indent=1).encode() + b"\n")


def check_inputs(folder: Folder, inputs: Sequence[str]) -> None:
    """Raises `DigitsError` where a folder has other inputs' answers: they would be lost, or mixed up."""
    names = folder.names()
    if LEDGER in names:
        with folder.open(LEDGER) as file:
            theirs = json.load(file)["inputs"]
        if theirs != list(inputs):
            raise DigitsError(
                f"{folder.place} has the answers to {' '.join(theirs)}: name another folder with --output."
            )
    elif any(name.startswith(_PART) for name in names):
        raise DigitsError(f"{folder.place} has answers of unknown origin: name another folder with --output.")


def remove_others(folder: Folder, names: set[str]) -> None:
    """Remove the parts that are none of these, and what interrupted writing has left."""
    for name in folder.names():
        if name.startswith((_PART, f".{_PART}", f".{LEDGER}")) and name not in names:
            folder.remove(name)
