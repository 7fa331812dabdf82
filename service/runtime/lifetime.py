"""Ends a worker within seconds of a signal or of its supervisor's end, whatever is still running."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

STOP_SECONDS = 8.6  # uvicorn gives requests 8; BentoML would wait up to a day for a worker
LOOK_SECONDS = 0.5

_logger = logging.getLogger("service")


def end_in_time(parent: int) -> None:
    """From now on, SIGTERM, SIGINT or the death of the parent end this process within `STOP_SECONDS`.

    The operating system's alarm ends it, so no thread, lock or library can delay that. Must be called by
    Python's main thread, which also handles the signals and therefore must not stay in a library for long.
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
    """Only the first signal sets the alarm, so that repeated signals do not extend the deadline."""
    if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)


def _end_with(parent: int) -> None:
    """Stop this process when its parent has exited, because nothing else would stop it."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    _logger.error("The supervising process has exited, so this worker stops")
    _set_alarm()
    os.kill(os.getpid(), signal.SIGTERM)
