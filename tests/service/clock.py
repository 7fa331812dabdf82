"""What something costs beside something else of the same run: a slow machine is as slow with both."""

from __future__ import annotations

import time
from collections.abc import Callable


def least_seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """Processor time of this thread alone in the best of some rounds.

    Other threads of the tests do not count, and what Python clears up now and then falls into one round.
    """
    seconds = []
    for _ in range(rounds):
        begin = time.thread_time()
        work()
        seconds.append(time.thread_time() - begin)
    return min(seconds)
