"""Processor time, for comparing two pieces of work in the same run, since a slow machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable


def least_seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """The least processor time of this thread over several rounds, in seconds.

    Other threads do not count, and garbage collection affects only single rounds.
    """
    seconds = []
    for _ in range(rounds):
        begin = time.thread_time()
        work()
        seconds.append(time.thread_time() - begin)
    return min(seconds)
