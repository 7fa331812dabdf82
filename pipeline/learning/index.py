"""Which pictures of feedback were taken, as data/accepted/pictures/index.json says it."""

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
class Taken:
    """A picture that was taken: its file, its label, and for ever its group and its side.

    The file is named after the SHA-256 of its bytes, and the group after the first picture in it.
    """

    file: str
    label: str
    group: str
    side: Side

    @property
    def id(self) -> str:
        return Path(self.file).stem


def read_index(path: Path) -> dict[str, Taken]:
    """The pictures of an index by their ids, none without that file; raises `DataError` for a damaged one."""
    try:
        entries = [Taken(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}): `dvc checkout {path.parent}.dvc` brings the last one back."
        ) from error
    return {taken.id: taken for taken in entries}


def write_index(path: Path, pictures: Iterable[Taken]) -> None:
    """Write an index, sorted by id: the same pictures give the same bytes."""
    entries = [asdict(taken) for taken in sorted(pictures, key=lambda taken: taken.id)]
    write_text(path, json.dumps(entries, indent=1) + "\n")
