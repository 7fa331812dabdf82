"""A bar on the terminal while many files are read."""

from __future__ import annotations

import os
import shutil
import sys

_MANY = 10  # files: more get a bar
_WIDTH = 30  # characters, where the terminal has room for them


class Bar:
    """Shows how far the reading is, on the error stream, where there are many files and someone looks.

    Whatever is written to the terminal meanwhile needs `clear` before it, results on the output as well:
    both streams may be the same terminal.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._wanted = count > _MANY and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._stands = False

    def show(self, number: int) -> None:
        """`number` files have been read; the last one ends the bar."""
        if not self._wanted:
            return
        self.clear()
        if number < self._count:
            print(self._drawn(number), end="", file=sys.stderr, flush=True)
            self._stands = True

    def clear(self) -> None:
        """Leave an empty line where the bar stands."""
        if self._stands:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._stands = False

    def _drawn(self, number: int) -> str:
        """The bar on one line, however narrow the terminal is: a second line would stay there."""
        figures = f"{number}/{self._count}"
        width = min(_WIDTH, shutil.get_terminal_size().columns - len(figures) - 4)
        if width < 1:
            return figures
        done = width * number // self._count
        return f"[{'#' * done}{'.' * (width - done)}] {figures}"
