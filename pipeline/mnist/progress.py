"""Progress of a download: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

LOG_SECONDS = 5.0
MEGABYTE = 1e6


def watched(chunks: Iterable[bytes], name: str, total: int | None) -> Iterator[bytes]:
    """Pass the chunks on and show on stderr how many of `total` bytes (None: unknown) have come."""
    return _bar(chunks, name, total) if sys.stderr.isatty() else _lines(chunks, name, total)


def _bar(chunks: Iterable[bytes], name: str, total: int | None) -> Iterator[bytes]:
    columns, lines = shutil.get_terminal_size()  # tqdm itself draws nothing where a terminal tells no size
    with tqdm(
        total=total, desc=name, unit="B", unit_scale=True, leave=False, ncols=columns, nrows=lines
    ) as bar:
        for chunk in chunks:
            bar.update(len(chunk))
            yield chunk


def _lines(chunks: Iterable[bytes], name: str, total: int | None) -> Iterator[bytes]:
    come, told = 0, time.monotonic()
    for chunk in chunks:
        come += len(chunk)
        if time.monotonic() - told >= LOG_SECONDS:
            told = time.monotonic()
            of_total = f" of {total / MEGABYTE:.1f}" if total else ""
            print(f"  {name}: {come / MEGABYTE:.1f}{of_total} MB", file=sys.stderr, flush=True)
        yield chunk
