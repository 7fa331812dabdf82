"""How many connections each worker holds, so that they can share them evenly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

_SLOTS = 256  # workers, those that died included: the next ones take the first slots again


class Tally:
    """The connections of all workers, in a file that each of them maps into memory."""

    def __init__(self, file: Path, worker: int) -> None:
        size = _SLOTS * 2 * np.dtype(np.int32).itemsize
        with file.open("ab") as opened:
            opened.truncate(size)
        self._workers = np.memmap(file, np.int32, "r+", shape=(_SLOTS, 2))  # process id, connections
        self._own = self._workers[worker % _SLOTS]
        self._own[:] = os.getpid(), 0
        self.when_lost: Callable[[], object] = lambda: None

    def took(self) -> None:
        """Count a connection that this worker took."""
        self._own[1] += 1

    def lost(self) -> None:
        """Count a connection of this worker that has ended."""
        self._own[1] -= 1
        self.when_lost()

    def leave(self) -> None:
        """This worker takes no more connections: the others need not wait for it."""
        self._own[0] = 0

    def others_have_fewer(self) -> bool:
        """Whether another living worker holds fewer connections than this one."""
        held = self._own[1]
        return any(pid and other < held and _lives(pid) for pid, other in self._workers.tolist())


def _lives(process: int) -> bool:
    """Asks the kernel alone: where file descriptors have run out, nothing can be opened to find out."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, as somebody else's
    return True
