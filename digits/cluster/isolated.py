"""Reads pictures in a child process, so that a picture that crashes a decoder costs only one row.

The answers go through a pipe, which takes time. So this is used only for parts that were begun before and not
finished.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from digits.cluster.reading import Read
from digits.results import Reading

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy locks that are held by Ray's threads
_SECONDS = 300  # for one picture

CRASHED = "Reading it crashed the process."
TIMED_OUT = f"Reading it took more than {_SECONDS // 60} minutes."


class IsolatedReader:
    """Reads in a child process with the function that `load` returns. A crashed process is replaced.

    `load` must be picklable.
    """

    def __init__(self, load: Callable[[], Read], seconds: float = _SECONDS) -> None:
        self._load = load
        self._seconds = seconds
        self._child: tuple[SpawnProcess, Connection] | None = None

    def __call__(self, data: bytes) -> Reading | str:
        process, pipe = self._child = self._child or self._started()
        try:
            pipe.send_bytes(data)
            if pipe.poll(self._seconds):
                answer: Reading | str = pipe.recv()
                return answer
        except (EOFError, OSError):
            sentence = CRASHED
        else:
            sentence = TIMED_OUT
        process.kill()
        process.join()
        pipe.close()
        self._child = None
        return sentence

    def close(self) -> None:
        """End the child process."""
        if self._child is not None:
            process, pipe = self._child
            pipe.close()
            process.join()
            self._child = None

    def _started(self) -> tuple[SpawnProcess, Connection]:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(self._load, there), daemon=True)
        process.start()
        there.close()  # so that the pipe ends when the child ends
        return process, here


def _serve(load: Callable[[], Read], pipe: Connection) -> None:
    """Answer requests until the pipe ends, which it also does if the parent process was killed."""
    read = load()
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send(read(data))
