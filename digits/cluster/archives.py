"""Pictures in zip and tar archives: which there are, and their bytes. Nothing is unpacked to disk.

Zip archives and plain tar archives are read picture by picture. A compressed tar archive has no places to go
to: it is read in one piece, from its beginning to its end.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO, Any, BinaryIO, Literal, NamedTuple, cast

from digits.cluster.places import opened
from digits.pictures import is_picture, shown

MOST_BYTES = 100 * 2**20
"""Of one picture, unpacked: what has more is not read."""

Kind = Literal["zip", "tar", "packed"]

_ENDS: dict[str, Kind] = {".zip": "zip", ".tar": "tar"}
_PACKED: dict[str, Callable[[BinaryIO], Any]] = {
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tbz2": bz2.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
}
_OPEN = 4  # archives that a process keeps open: a part's pictures lie in few
_DRAINED = 2**20  # bytes at once


class Member(NamedTuple):
    """A picture in an archive: its name there, where it is, its bytes unpacked, and what changes with them.

    `at` is its number in a zip archive's list, and in a tar archive where its bytes begin.
    """

    name: str
    at: int
    size: int
    identity: str


def kind_of(name: str) -> Kind | None:
    """Which kind of archive a file's name says that it is, if any."""
    name = name.lower()
    if name.endswith(tuple(_PACKED)):
        return "packed"
    return next((kind for end, kind in _ENDS.items() if name.endswith(end)), None)


def members(place: str, kind: Literal["zip", "tar"]) -> Iterator[Member]:
    """The pictures in an archive, in its order; raises whatever a damaged one makes its parser trip over."""
    names = Names()
    with opened(place) as file:
        if kind == "zip":
            with zipfile.ZipFile(file) as listed:
                for number, info in enumerate(listed.infolist()):
                    if not info.is_dir() and _is_wanted(info.filename):
                        identity = f"{info.file_size} {info.CRC}"
                        yield Member(names.own(info.filename), number, info.file_size, identity)
        else:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                for entry in archive:
                    if _is_whole(entry):
                        identity = f"{entry.size} {entry.mtime}"
                        yield Member(names.own(entry.name), entry.offset_data, entry.size, identity)


class Names:
    """Gives every picture of an archive a name of its own: archives may hold several files of one name."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def own(self, name: str) -> str:
        """The name itself at first, then with "#2" and so on."""
        name = shown(name)
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"


def content_of(place: str, kind: Literal["zip", "tar"], at: int, size: int) -> bytes:
    """The bytes of one member; raises what its parser raises, and `ValueError` for over `MOST_BYTES`."""
    check_size(size)
    if kind == "zip":
        archive = _zip(place)
        return archive.read(archive.infolist()[at])
    file = _plain(place)
    file.seek(at)
    content = file.read(size)
    if len(content) < size:
        raise EOFError("the archive is cut off")
    return content


def check_size(size: int) -> None:
    """Raises `ValueError` for a picture of over `MOST_BYTES`."""
    if size > MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than the {MOST_BYTES:,} that one picture may have")


@lru_cache(_OPEN)
def _zip(place: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(opened(place))


@lru_cache(_OPEN)
def _plain(place: str) -> BinaryIO:
    return opened(place)


def packed_contents(place: str) -> Iterator[tuple[str, bytes | ValueError]]:
    """Name and bytes of all pictures of a compressed tar archive, or why one of them is not read.

    Raises whatever a damaged archive makes its parser trip over, after the pictures before that place.
    """
    names = Names()
    unpack = next(unpack for end, unpack in _PACKED.items() if place.lower().endswith(end))
    with opened(place) as file, unpack(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                if not _is_whole(entry):
                    continue
                try:
                    check_size(entry.size)
                except ValueError as error:
                    yield names.own(entry.name), error
                    continue
                content = cast(IO[bytes], archive.extractfile(entry)).read()
                yield names.own(entry.name), content
        while stream.read(_DRAINED):  # what is cut off behind the last picture shows only there
            pass


def _is_wanted(name: str) -> bool:
    return is_picture(name) and not name.startswith("__MACOSX/")  # a Mac's notes beside pictures


def _is_whole(entry: tarfile.TarInfo) -> bool:
    return entry.isreg() and not entry.issparse() and _is_wanted(entry.name)
