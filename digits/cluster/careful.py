"""Reads in a process of its own: a picture that ends it, in the depths of a decoder, costs one row.

Its answers go through a pipe: this is only for parts that were begun before and did not come to their end.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from digits.cluster.reading import Read
from digits.results import Reading

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the locks of the threads that Ray has
_SECONDS = 300  # for one picture

ENDED = "Reading it ended the process that read it."
ENDLESS = f"Reading it took more than {_SECONDS // 60} minutes."


class CarefulReader:
    """Reads with what `load` gives, in a child process; a new one where a picture has ended it.

    `load` must be something that pickle takes.
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
            sentence = ENDED
        else:
            sentence = ENDLESS
        process.kill()
        process.join()
        pipe.close()
        self._child = None
        return sentence

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            process, pipe = self._child
            pipe.close()
            process.join()
            self._child = None

    def _started(self) -> tuple[SpawnProcess, Connection]:
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_serve, args=(self._load, there), daemon=True)
        process.start()
        there.close()  # so that the end of the child is the end of the pipe
        return process, here


def _serve(load: Callable[[], Read], pipe: Connection) -> None:
    """Answer until nobody asks: also where the process that asked was killed, the pipe ends."""
    read = load()
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send(read(data))
