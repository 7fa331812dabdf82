"""Reads a part where it runs, on any machine of the cluster, and writes its answers. No Ray in here."""

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
"""What a picture's bytes say, or the sentence that says why they cannot be read."""

_FETCHING = 8  # files that are fetched while one is read: S3 answers after tens of milliseconds


class Content(NamedTuple):
    """What was found under a name: bytes, or the sentence that says why there are none."""

    name: str
    data: bytes
    error: str | None


def file_of(part: Part, shape: Shape) -> str:
    """The name of a part's answers in their folder."""
    return f"part-{part.name}.{shape.format}"


def read_part(part: Part, read: Read, careful: Callable[[], Read], folder: Folder, shape: Shape) -> Counts:
    """Write the answers to a part, unless they are there; raises `OSError` where they cannot be written.

    Where reading it has begun before and not come to its end, it is read with what `careful` gives: a picture
    may have ended the process.
    """
    name = file_of(part, shape)
    if folder.has(name):  # written, and then the machine was lost before it could say so
        return counts_of(folder, name)
    begun = f".{name}.begun"
    if folder.has(begun):
        read = careful()
    else:
        with folder.writing(begun):
            pass
    counts = write((_row(content, read) for content in _contents(part.sources)), folder, name, shape)
    folder.remove(begun)
    return counts


def read_bytes(reader: Reader, data: bytes) -> Reading | str:
    """The reading of a picture's bytes, or why there is none."""
    try:
        with Image.open(BytesIO(data)) as image:
            return reader.read(image)
    except Exception as error:  # Pillow's decoders raise whatever a damaged file makes them trip over
        return why_unread(error)


def _row(content: Content, read: Read) -> Row:
    answer = read(content.data) if content.error is None else content.error
    return Row(content.name, None, answer) if isinstance(answer, str) else Row(content.name, answer, None)


def _contents(sources: tuple[Source, ...]) -> Iterator[Content]:
    """The bytes of all pictures; loose files are fetched some at once, archives are read in their order."""
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
    except Exception as error:  # a path of another kind, no rights, a server that does not answer
        return Content(source.name, b"", why_unread(error))
    return Content(source.name, data, None)


def _member(source: Source) -> Content:
    if source.kind == "broken":
        return Content(source.name, b"", source.error)
    assert source.kind in ("zip", "tar")
    try:
        return Content(source.name, content_of(source.place, source.kind, source.at, source.size), None)
    except Exception as error:  # the parsers of archives raise whatever a damaged one makes them trip over
        return Content(source.name, b"", why_unread(error))


def _packed(source: Source) -> Iterator[Content]:
    """All pictures of a compressed archive; where it is cut off or broken, a last row says so."""
    try:
        for name, data in packed_contents(source.place):
            if isinstance(data, bytes):
                yield Content(f"{source.name}/{name}", data, None)
            else:
                yield Content(f"{source.name}/{name}", b"", why_unread(data))
    except Exception as error:
        yield Content(source.name, b"", f"The archive cannot be read to its end ({error}).")
