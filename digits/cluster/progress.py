"""Progress on the error stream: one line that is updated on a terminal, else a line every 30 seconds."""

from __future__ import annotations

import sys
import time

from digits.cluster.answers import Counts

_TERMINAL_SECONDS = 0.2
_LINES_SECONDS = 30.0


class Progress:
    """Shows the number of files that are done, the total, the speed and the remaining time.

    `before` are the counts of earlier runs. `total` is None if a compressed archive has an unknown number of
    files.
    """

    def __init__(self, before: Counts, total: int | None) -> None:
        self.done = before
        self._before = before
        self._total = total
        self._terminal = sys.stderr.isatty()
        self.begin()

    def begin(self) -> None:
        """Start the clock, once the cluster is connected."""
        self._began = self._said = time.monotonic()

    def add(self, counts: Counts) -> None:
        self.done = Counts(self.done.files + counts.files, self.done.errors + counts.errors)
        now = time.monotonic()
        if now - self._said >= (_TERMINAL_SECONDS if self._terminal else _LINES_SECONDS):
            self._said = now
            say(self._line(now), stays=not self._terminal)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _line(self, now: float) -> str:
        rate = (self.done.files - self._before.files) / (now - self._began)
        of, left = "", ""
        if self._total is not None:
            of = f" of {self._total:,} ({self.done.files / self._total:.0%})"
            left = f", {(self._total - self.done.files) / 60 / rate:.0f} minutes left" if rate else ""
        return f"{self.done.files:,}{of} files read, {self.done.errors:,} errors, {rate:.1f} a second{left}"


def say(sentence: str, stays: bool = True) -> None:
    """Print a sentence in place of the progress line or, if `stays` is false, as the new progress line."""
    start = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{start}{sentence}", end="\n" if stays else "", file=sys.stderr, flush=True)
