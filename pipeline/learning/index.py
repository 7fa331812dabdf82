"""Read and write data/accepted/pictures/index.json, the index of accepted feedback."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.mnist.accepted import Side
from pipeline.project.errors import DataError
from pipeline.project.files import write_text

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class AcceptedPicture:
    """An accepted picture: its file, its label, and its group and side, which never change.

    The file is named after the SHA-256 of its bytes, and the group after its first picture.
    """

    file: str
    label: str
    group: str
    side: Side

    @property
    def id(self) -> str:
        return Path(self.file).stem


def read_index(path: Path) -> dict[str, AcceptedPicture]:
    """Return the pictures of an index by id, {} without a file; raises `DataError` if it is damaged."""
    try:
        entries = [AcceptedPicture(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}). `dvc checkout {path.parent}.dvc` restores it."
        ) from error
    return {taken.id: taken for taken in entries}


def write_index(path: Path, pictures: Iterable[AcceptedPicture]) -> None:
    """Write an index sorted by id, so that the same pictures give the same bytes."""
    entries = [asdict(taken) for taken in sorted(pictures, key=lambda taken: taken.id)]
    write_text(path, json.dumps(entries, indent=1) + "\n")
