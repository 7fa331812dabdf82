"""Finds the pictures to read, in folders, in archives and in S3, each with a stable name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from digits.cluster.archives import kind_of, members
from digits.cluster.places import File, is_remote, remote_files
from digits.pictures import files_in, is_picture, printable

Seen = Callable[[int], None]
_UNKNOWN = "absent"


@dataclass(frozen=True, slots=True)
class Source:
    """The source of one row or, for a compressed tar archive ("packed"), of one row for each of its pictures.

    - `name`: the name in the row.
    - `group`: the name of the folder or archive that contains it.
    - `place`: the path or address of the file, or of its archive.
    - `identity`: a text that changes if the content changes.
    - `at`, `size`: the position and the size of a member of an archive.
    - `error`: the reason why an archive cannot be listed (kind "broken").
    """

    kind: Literal["file", "zip", "tar", "packed", "broken"]
    name: str
    group: str
    place: str
    identity: str
    at: int = 0
    size: int = 0
    error: str = ""


def sources_of(inputs: Sequence[str], seen: Seen) -> list[Source]:
    """All sources in files, folders and addresses, without duplicates.

    `seen` is called with the number of sources so far. Raises `OSError` if S3 does not answer.
    """
    found: dict[tuple[str, str, int], Source] = {}
    for given in inputs:
        for source in _sources(given):
            found.setdefault((source.place, source.kind, source.at), source)
            seen(len(found))
    return list(found.values())


def _sources(given: str) -> Iterator[Source]:
    if is_remote(given):
        files = remote_files(given)
        if files is None:
            yield _absent(given, given)
            return
        alone = len(files) == 1 and files[0].place == given
        for file in files:
            if alone or _is_wanted(file.place):
                yield from _of_file(file.place, file)
        return
    path = Path(given)
    for inner in files_in(path, _is_wanted) if path.is_dir() else [path]:
        yield from _of_local(inner)


def _of_local(path: Path) -> Iterator[Source]:
    place = str(path.absolute())
    name = printable(str(path))
    try:
        found = path.stat()
    except OSError:
        yield _absent(name, place)
        return
    yield from _of_file(name, File(place, found.st_size, found.st_mtime_ns))


def _absent(name: str, place: str) -> Source:
    return Source("file", name, name.rpartition("/")[0], place, _UNKNOWN)


def _of_file(name: str, file: File) -> Iterator[Source]:
    """The source of a picture, or the sources in an archive."""
    identity = f"{file.size} {file.changed}"
    kind = kind_of(name)
    if kind is None:
        yield Source("file", name, name.rpartition("/")[0], file.place, identity)
    elif kind == "packed":
        yield Source("packed", name, name, file.place, identity)
    else:
        try:
            for member in members(file.place, kind):
                yield Source(
                    kind, f"{name}/{member.name}", name, file.place, member.identity, member.at, member.size
                )
        except Exception as error:  # for a damaged archive, its parser raises exceptions of any type
            why = f"The archive cannot be read to its end ({error})."
            yield Source("broken", name, name, file.place, identity, error=why)


def _is_wanted(name: str) -> bool:
    return is_picture(name) or kind_of(name) is not None
