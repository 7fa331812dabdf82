"""Reads a part on a machine of the cluster and writes its answers. This module does not use Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from PIL import Image

from digits.cluster.answers import Counts, Shape, counts_of, write
from digits.cluster.archives import MOST_BYTES, check_size, content_of, packed_contents
from digits.cluster.parts import Part
from digits.cluster.places import Folder, opened
from digits.cluster.sources import Source
from digits.output.report import Row
from digits.pictures import why_unread
from digits.reader import Reader
from digits.results import Reading

Read = Callable[[bytes], Reading | str]
"""Returns the reading of a picture's bytes, or the message that says why they cannot be read."""

_FETCHING = 8  # files that are fetched while one is read, because S3 takes tens of milliseconds to answer


class Content(NamedTuple):
    """A picture's name and bytes; `error` is the message that says why there are no bytes."""

    name: str
    data: bytes
    error: str | None


def file_of(part: Part, shape: Shape) -> str:
    """The file name of a part's answers."""
    return f"part-{part.name}.{shape.format}"


def read_part(part: Part, read: Read, isolated: Callable[[], Read], folder: Folder, shape: Shape) -> Counts:
    """Write the answers to a part unless they exist; raises `OSError` if they cannot be written.

    If reading the part was begun before and not finished, a picture may have crashed the process. The part is
    then read with the function that `isolated` returns.
    """
    name = file_of(part, shape)
    if folder.has(name):  # a machine wrote it, and was lost before it could report this
        return counts_of(folder, name)
    begun = f".{name}.begun"
    if folder.has(begun):
        read = isolated()
    else:
        with folder.writing(begun):
            pass
    counts = write((_row(content, read) for content in _contents(part.sources)), folder, name, shape)
    folder.remove(begun)
    return counts


def read_bytes(reader: Reader, data: bytes) -> Reading | str:
    """The reading of a picture's bytes, or the message that says why there is none."""
    try:
        with Image.open(BytesIO(data)) as image:
            return reader.read(image)
    except Exception as error:  # for a damaged file, Pillow's decoders raise exceptions of any type
        return why_unread(error)


def _row(content: Content, read: Read) -> Row:
    answer = read(content.data) if content.error is None else content.error
    return Row(content.name, None, answer) if isinstance(answer, str) else Row(content.name, answer, None)


def _contents(sources: tuple[Source, ...]) -> Iterator[Content]:
    """The bytes of all pictures. Files are fetched several at a time, archives are read in their order."""
    with ThreadPoolExecutor(_FETCHING) as pool:
        loose = iter([source for source in sources if source.kind == "file"])
        fetching = [pool.submit(_fetched, source) for source in islice(loose, _FETCHING)]
        while fetching:
            yield fetching.pop(0).result()
            fetching.extend(pool.submit(_fetched, source) for source in islice(loose, 1))
    for source in sources:
        if source.kind == "packed":
            yield from _packed(source)
        elif source.kind != "file":
            yield _member(source)


def _fetched(source: Source) -> Content:
    try:
        with opened(source.place) as file:
            data = file.read(MOST_BYTES + 1)
        check_size(len(data))
    except Exception as error:  # not a file, no permission, or a server that does not answer
        return Content(source.name, b"", why_unread(error))
    return Content(source.name, data, None)


def _member(source: Source) -> Content:
    if source.kind == "broken":
        return Content(source.name, b"", source.error)
    assert source.kind in ("zip", "tar")
    try:
        return Content(source.name, content_of(source.place, source.kind, source.at, source.size), None)
    except Exception as error:  # for a damaged archive, its parser raises exceptions of any type
        return Content(source.name, b"", why_unread(error))


def _packed(source: Source) -> Iterator[Content]:
    """All pictures of a compressed archive; if it is truncated or damaged, the last row says so."""
    try:
        for name, data in packed_contents(source.place):
            if isinstance(data, bytes):
                yield Content(f"{source.name}/{name}", data, None)
            else:
                yield Content(f"{source.name}/{name}", b"", why_unread(data))
    except Exception as error:
        yield Content(source.name, b"", f"The archive cannot be read to its end ({error}).")
