"""Work queues with limits: small pictures are read on the event loop, all others on threads.

Passing work to a thread costs as much as reading a small picture, so small ones are read on the event loop.
Longer work runs on a thread, because it would block all other requests. Photos have a low-priority thread.
"""

# See docs/decisions/overload.md.
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

# Waiting and work of one job. A request has up to three (decoding, reading, storing feedback), after up to
# 20 s for its body, and a refusal is sent a second late. So BentoML's timeout is 64 s.
THREAD_SECONDS = 14.0
QUICK_LIMIT, PHOTOS_LIMIT = 128, 8  # waiting requests; benchmarks/simulated has the same queues
_BUSY = "The service is busy. Try again in a second."


class Queue:
    """A queue of at most `limit` jobs, run one at a time in `pool`, or on the event loop if that is None."""

    def __init__(self, name: str, limit: int, pool: ThreadPoolExecutor | None = None) -> None:
        self._limit = limit
        self._pool = pool
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._gauge = QUEUE.labels(name)

    def admit(self) -> None:
        """Raise `Busy` if the queue is full. Call it before a body is read, too."""
        if self._waiting >= self._limit:
            raise Busy(_BUSY)

    async def run(self, work: Callable[[], T]) -> T:
        """Queue `work` and return its result; raises `Busy` if the queue is full or after a timeout."""
        self.admit()
        self._count(1)
        if self._pool is None:
            try:
                async with self._turn:
                    # Each job takes two iterations of the loop, which accepts one connection in each. It can
                    # refuse a flood only if it accepts faster than it works.
                    await asyncio.sleep(0)
                    return work()
            finally:
                self._count(-1)
        loop = asyncio.get_running_loop()
        job = self._pool.submit(work)
        # The job counts until it is done, because a thread finishes it even after a timeout.
        job.add_done_callback(lambda _: self._left(loop))
        try:
            async with asyncio.timeout(THREAD_SECONDS):
                return await asyncio.wrap_future(job)
        except TimeoutError:
            raise Busy(_BUSY) from None

    def _left(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop ended before the job
            loop.call_soon_threadsafe(self._count, -1)

    def _count(self, change: int) -> None:
        self._waiting += change
        self._gauge.set(self._waiting)


class Queues:
    """The queues of one worker; writing feedback to disk has its own, so that it does not delay reading."""

    def __init__(self) -> None:
        self.quick = Queue("quick", QUICK_LIMIT)
        self.side = Queue("side", 32, ThreadPoolExecutor(1, "side"))
        self.photos = Queue("photos", PHOTOS_LIMIT, ThreadPoolExecutor(1, "photos", _yield_to_others))
        self.feedback = Queue("feedback", 16, ThreadPoolExecutor(1, "feedback"))


def _yield_to_others() -> None:
    """Lower the priority of this thread alone, which only Linux supports."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PHOTO_NICENESS)
