"""Files at local paths and at `s3://` addresses: listing, reading, and writing by renaming.

S3 is accessed through pyarrow, configured by the usual environment variables (AWS_ACCESS_KEY_ID and others,
and AWS_ENDPOINT_URL for a server that is not Amazon's).
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
_AT_ONCE = 2**20  # bytes of an archive that one request to S3 gets


class File(NamedTuple):
    """An existing file: its path or address, its size in bytes, and its time of change in nanoseconds."""

    place: str
    size: int
    changed: int


def is_remote(place: str) -> bool:
    """Whether a place is an address in S3 and not a local path."""
    return place.startswith(_S3)


def remote_files(address: str) -> list[File] | None:
    """All files below an address in S3, or the file at this address; None if there is nothing.

    Raises `OSError` if S3 does not answer.
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
    """Open a file for reading with random access; raises `OSError`."""
    if not is_remote(place):
        return Path(place).open("rb")
    system, path = _system(place)
    return cast(BinaryIO, BufferedReader(system.open_input_file(path), _AT_ONCE))


@cache
def _remote_system(bucket: str) -> Any:
    """S3 as the environment variables configure it; without a region, Amazon is asked for the bucket's."""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, host = urlsplit(endpoint)[:2]
        return fs.S3FileSystem(endpoint_override=host, scheme=scheme, region=region or "us-east-1")
    return fs.S3FileSystem(region=region or fs.resolve_s3_region(bucket))


def _system(place: str) -> tuple[Any, str]:
    """The file system of a place, and the path of the place there."""
    if not is_remote(place):
        return fs.LocalFileSystem(), place
    path = place.removeprefix(_S3).rstrip("/")
    return _remote_system(path.partition("/")[0]), path


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of answers, local or in S3. Its methods raise `OSError` if the place cannot be accessed."""

    place: str

    @classmethod
    def of(cls, place: str) -> Folder:
        """The folder at a path or address from the command line."""
        return cls(place.rstrip("/") if is_remote(place) else str(Path(place).absolute()))

    def make(self) -> None:
        """Create a local folder; in S3, folders need not be created."""
        if not is_remote(self.place):
            Path(self.place).mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The names of its files, without subfolders."""
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
        """A stream for the content of the file `name`, which appears only if no exception was raised.

        Until then the file has a temporary name. This is also necessary in S3, where closing a stream creates
        the file with the content so far.
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
