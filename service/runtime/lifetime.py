"""When a worker ends: soon after it is asked to, whatever still runs, and with its supervisor."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

STOP_SECONDS = 8.6  # uvicorn gives requests 8; BentoML would wait for a worker for a day
LOOK_SECONDS = 0.5

_logger = logging.getLogger("service")


def end_in_time(parent: int) -> None:
    """From now on, SIGTERM and SIGINT end this process within `STOP_SECONDS`, and so does its parent's end.

    The system's own alarm ends it, so no thread, lock or library can hold it up. Python's main thread must
    call this, and is the one that hears the signals: it must not stay in a library for long.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _with_alarm(signal.getsignal(number)))
    threading.Thread(target=_end_with, args=(parent,), daemon=True, name="parent").start()


def _with_alarm(before: Any) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        _set_alarm()
        if callable(before):
            before(number, frame)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    return stop


def _set_alarm() -> None:
    """The first alarm counts: who asks again must not put the end off."""
    if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)


def _end_with(parent: int) -> None:
    """Asks this process to stop once the one that started it is gone: nothing else would stop it."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    _logger.error("The process that supervises this worker is gone, so it stops")
    _set_alarm()
    os.kill(os.getpid(), signal.SIGTERM)
