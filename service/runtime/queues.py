"""Who works when: small pictures on the event loop, others on threads, and nobody waits without bound.

A thread hop costs as much as reading a small picture, so those are read where they arrive. What takes
longer goes to a thread, else everybody behind it would wait; photos go to one that yields to all others.
"""

# Why it is so: docs/decisions/overload.md
from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from service.errors import Busy
from service.pictures.decode import PHOTO_NICENESS
from service.runtime.metrics import QUEUE

T = TypeVar("T")

THREAD_SECONDS = 14.0  # for a thread's turn and work; a body may take 20 before, and BentoML gives up at 60
QUICK_LIMIT, PHOTOS_LIMIT = 128, 8  # requests that wait; benchmarks/simulated has the same queues
_BUSY = "There is too much to do right now: try again in a second."


class Queue:
    """Work that waits its turn, with a limit; `pool` None works on the event loop itself."""

    def __init__(self, name: str, limit: int, pool: ThreadPoolExecutor | None = None) -> None:
        self._limit = limit
        self._pool = pool
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._gauge = QUEUE.labels(name)

    def admit(self) -> None:
        """Raises `Busy` where the queue is full: to be asked before a body is read, too."""
        if self._waiting >= self._limit:
            raise Busy(_BUSY)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, in turn; raises `Busy` where the queue is full or a thread takes too long."""
        self.admit()
        self._count(1)
        if self._pool is None:
            try:
                async with self._turn:
                    # Two turns of the loop a work: it accepts one connection a turn, and has to accept faster
                    # than it works to refuse a flood.
                    await asyncio.sleep(0)
                    return work()
            finally:
                self._count(-1)
        loop = asyncio.get_running_loop()
        job = self._pool.submit(work)
        # Only then: a thread goes on with what it has begun, also where nobody waits for it any more.
        job.add_done_callback(lambda _: self._left(loop))
        try:
            async with asyncio.timeout(THREAD_SECONDS):
                return await asyncio.wrap_future(job)
        except TimeoutError:
            raise Busy(_BUSY) from None

    def _left(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended before the work
            loop.call_soon_threadsafe(self._count, -1)

    def _count(self, change: int) -> None:
        self._waiting += change
        self._gauge.set(self._waiting)


class Queues:
    """The queues of one worker; what waits for the disk holds up no reading."""

    def __init__(self) -> None:
        self.quick = Queue("quick", QUICK_LIMIT)
        self.side = Queue("side", 32, ThreadPoolExecutor(1, "side"))
        self.photos = Queue("photos", PHOTOS_LIMIT, ThreadPoolExecutor(1, "photos", _yield_to_others))
        self.feedback = Queue("feedback", 16, ThreadPoolExecutor(1, "feedback"))


def _yield_to_others() -> None:
    """Lowers the priority of this thread alone, which Linux can do."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PHOTO_NICENESS)
