"""Lists and reads the pictures in zip and tar archives, without unpacking them to disk.

Single pictures are read from zip archives and uncompressed tar archives. A compressed tar archive has no
random access, so it is read from beginning to end.
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
from digits.pictures import is_picture, printable

MOST_BYTES = 100 * 2**20
"""Largest size of one picture, uncompressed. Larger pictures are not read."""

Kind = Literal["zip", "tar", "packed"]

_EXTENSIONS: dict[str, Kind] = {".zip": "zip", ".tar": "tar"}
_PACKED: dict[str, Callable[[BinaryIO], Any]] = {
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tbz2": bz2.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
}
_OPEN = 4  # archives that a process keeps open, since the pictures of a part are in few archives
_DRAINED = 2**20  # bytes that are read at a time


class Member(NamedTuple):
    """A picture in an archive: its name there, its uncompressed size in bytes, and where it is.

    `at` is its index in a zip archive's list, or the offset of its bytes in a tar archive. `identity` changes
    if the picture's content changes.
    """

    name: str
    at: int
    size: int
    identity: str


def kind_of(name: str) -> Kind | None:
    """The kind of archive according to a file name's extension; None if it is not an archive."""
    name = name.lower()
    if name.endswith(tuple(_PACKED)):
        return "packed"
    for extension, kind in _EXTENSIONS.items():
        if name.endswith(extension):
            return kind
    return None


def members(place: str, kind: Literal["zip", "tar"]) -> Iterator[Member]:
    """The pictures in an archive, in its order. If it is damaged, raises any exception of its parser."""
    names = Names()
    with opened(place) as file:
        if kind == "zip":
            with zipfile.ZipFile(file) as listed:
                for number, info in enumerate(listed.infolist()):
                    if not info.is_dir() and _is_wanted(info.filename):
                        identity = f"{info.file_size} {info.CRC}"
                        yield Member(names.unique(info.filename), number, info.file_size, identity)
        else:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                for entry in archive:
                    if _is_whole(entry):
                        identity = f"{entry.size} {entry.mtime}"
                        yield Member(names.unique(entry.name), entry.offset_data, entry.size, identity)


class Names:
    """Gives every picture of an archive a unique name, since several files may have the same name."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def unique(self, name: str) -> str:
        """The name itself the first time, then with "#2" and so on."""
        name = printable(name)
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"


def content_of(place: str, kind: Literal["zip", "tar"], at: int, size: int) -> bytes:
    """The bytes of one member; raises any exception of its parser, and `ValueError` above `MOST_BYTES`."""
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
    """Raise `ValueError` for a picture of more than `MOST_BYTES`."""
    if size > MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than the limit of {MOST_BYTES:,}")


@lru_cache(_OPEN)
def _zip(place: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(opened(place))


@lru_cache(_OPEN)
def _plain(place: str) -> BinaryIO:
    return opened(place)


def packed_contents(place: str) -> Iterator[tuple[str, bytes | ValueError]]:
    """The names of all pictures of a compressed tar archive, with their bytes or the error of reading them.

    If the archive is damaged, raises any exception of its parser, after the pictures before the damage.
    """
    names = Names()
    with opened(place) as file, _decompress(place)(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                if not _is_whole(entry):
                    continue
                try:
                    check_size(entry.size)
                except ValueError as error:
                    yield names.unique(entry.name), error
                    continue
                content = cast(IO[bytes], archive.extractfile(entry)).read()
                yield names.unique(entry.name), content
        while stream.read(_DRAINED):  # only reading to the end shows that the end is missing
            pass


def _decompress(place: str) -> Callable[[BinaryIO], Any]:
    """The function that opens a compressed tar archive for reading."""
    for extension, decompress in _PACKED.items():
        if place.lower().endswith(extension):
            return decompress
    raise ValueError(f"{place} does not have the extension of a compressed archive")


def _is_wanted(name: str) -> bool:
    return is_picture(name) and not name.startswith("__MACOSX/")  # macOS adds files with metadata there


def _is_whole(entry: tarfile.TarInfo) -> bool:
    return entry.isreg() and not entry.issparse() and _is_wanted(entry.name)
