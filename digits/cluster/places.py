"""Places of files, local paths and `s3://` addresses alike: listed, opened for reading, written by renaming.

S3 is asked through pyarrow, with the variables that every S3 program takes (AWS_ACCESS_KEY_ID and the others,
AWS_ENDPOINT_URL for a server that is not Amazon's).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

from pyarrow import fs

_S3 = "s3://"
_AT_ONCE = 2**20  # bytes: what one request to S3 brings of an archive


class File(NamedTuple):
    """A file that is there: where, how many bytes, and when it changed (nanoseconds)."""

    place: str
    size: int
    changed: int


def is_remote(place: str) -> bool:
    """Whether a place is an address in S3, and no path."""
    return place.startswith(_S3)


def remote_files(address: str) -> list[File] | None:
    """All files below an address in S3, or the one at it; None where nothing is.

    Raises `OSError` where S3 does not answer.
    """
    system, path = _system(address)
    (found,) = system.get_file_info([path])
    if found.type == fs.FileType.File:
        return [_file(found)]
    if found.type == fs.FileType.NotFound:
        return None
    below = system.get_file_info(fs.FileSelector(path, recursive=True))
    return sorted(_file(info) for info in below if info.type == fs.FileType.File)


def _file(info: Any) -> File:
    return File(f"{_S3}{info.path}", info.size, info.mtime_ns or 0)


def opened(place: str) -> BinaryIO:
    """A file for reading from anywhere in it; raises `OSError`."""
    if not is_remote(place):
        return Path(place).open("rb")
    system, path = _system(place)
    return cast(BinaryIO, BufferedReader(system.open_input_file(path), _AT_ONCE))


@cache
def _remote_system(bucket: str) -> Any:
    """S3 as the environment describes it; without a region there, Amazon is asked where the bucket lies."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, host = urlsplit(endpoint)[:2]
        return fs.S3FileSystem(endpoint_override=host, scheme=scheme, region=region or "us-east-1")
    return fs.S3FileSystem(region=region or fs.resolve_s3_region(bucket))


def _system(place: str) -> tuple[Any, str]:
    """The file system of a place, and its path there."""
    if not is_remote(place):
        return fs.LocalFileSystem(), place
    path = place.removeprefix(_S3).rstrip("/")
    return _remote_system(path.partition("/")[0]), path


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of answers, here or in S3. Every method raises `OSError` where the place does not answer."""

    place: str

    @classmethod
    def of(cls, place: str) -> Folder:
        """A folder as a person names it."""
        return cls(place.rstrip("/") if is_remote(place) else str(Path(place).absolute()))

    def make(self) -> None:
        """Make a local folder; in S3 there is nothing to make."""
        if not is_remote(self.place):
            Path(self.place).mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The names of its files, not of those below."""
        system, path = _system(self.place)
        found = system.get_file_info(fs.FileSelector(path, allow_not_found=True))
        return [info.base_name for info in found if info.type == fs.FileType.File]

    def has(self, name: str) -> bool:
        system, path = _system(self.place)
        return bool(system.get_file_info([f"{path}/{name}"])[0].type == fs.FileType.File)

    def open(self, name: str) -> BinaryIO:
        return opened(f"{self.place}/{name}")

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """A stream whose bytes are the file `name` once all is well, and otherwise no file of that name.

        It has another name until then, in S3 too: closing a stream there makes a file of what it was given.
        """
        system, path = _system(self.place)
        temporary = f"{path}/.{name}.{uuid.uuid4().hex}"
        try:
            with system.open_output_stream(temporary, compression=None) as stream:
                yield stream
            system.move(temporary, f"{path}/{name}")
        except BaseException:
            if system.get_file_info([temporary])[0].type == fs.FileType.File:
                system.delete_file(temporary)
            raise

    def remove(self, name: str) -> None:
        system, path = _system(self.place)
        system.delete_file(f"{path}/{name}")
