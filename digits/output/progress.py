"""A progress bar on the terminal while many files are read."""

from __future__ import annotations

import os
import shutil
import sys

_MANY = 10  # files, above which there is a bar
_WIDTH = 30  # characters, if the terminal is wide enough


class Bar:
    """A progress bar on the error stream, shown if there are many files and the stream is a terminal.

    Call `clear` before anything is written to the terminal, including results on standard output, because
    both streams may be the same terminal.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._wanted = count > _MANY and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._stands = False

    def show(self, number: int) -> None:
        """Show that `number` files have been read; after the last file, remove the bar."""
        if not self._wanted:
            return
        self.clear()
        if number < self._count:
            print(self._drawn(number), end="", file=sys.stderr, flush=True)
            self._stands = True

    def clear(self) -> None:
        """Replace the bar by an empty line."""
        if self._stands:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._stands = False

    def _drawn(self, number: int) -> str:
        """The bar, short enough for one line of the terminal, because `clear` empties only one line."""
        figures = f"{number}/{self._count}"
        width = min(_WIDTH, shutil.get_terminal_size().columns - len(figures) - 4)
        if width < 1:
            return figures
        done = width * number // self._count
        return f"[{'#' * done}{'.' * (width - done)}] {figures}"
