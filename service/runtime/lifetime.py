"""When a worker ends: soon after it is asked to, whatever still runs, and with its supervisor."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

STOP_SECONDS = 9  # uvicorn gives requests 8; BentoML would wait for a worker for a day
LOOK_SECONDS = 0.5

_logger = logging.getLogger("service")


def end_in_time() -> None:
    """From now on, SIGTERM and SIGINT end this process within `STOP_SECONDS`, beside what they do already.

    The system's own alarm ends it, so that no thread, no lock and no library can hold it up. To be called
    in the main thread.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _with_alarm(signal.getsignal(number)))


def _with_alarm(before: Any) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(STOP_SECONDS)
        if callable(before):
            before(number, frame)

    return stop


async def end_with(parent: int) -> None:
    """Ask this process to stop once the process that started it is gone: nothing else would stop it."""
    while os.getppid() == parent:
        await asyncio.sleep(LOOK_SECONDS)
    _logger.error("The process that supervises this worker is gone, so it stops")
    os.kill(os.getpid(), signal.SIGTERM)
