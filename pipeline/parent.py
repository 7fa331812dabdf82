"""A stage ends with the command that started it, even where that was killed outright."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil

SHELLS = {"sh", "dash", "bash", "zsh", "fish", "ksh"}
POLL = 1.0  # seconds
GRACE = 20.0  # seconds that a stage has for its own end


def end_with_parent() -> None:
    """Watch who started this process, and end with it as after a Ctrl-C.

    Call it from the main thread. DVC runs a stage through a shell, so a shell in between is watched
    together with its own parent: `kill -9` of dvc leaves the shell alive.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    watched = _starters(psutil.Process())
    threading.Thread(target=_watch, args=(watched,), name="end-with-parent", daemon=True).start()


def _starters(process: psutil.Process) -> list[psutil.Process]:
    """The parent, and while that is a shell, its parent too."""
    found: list[psutil.Process] = []
    for ancestor in process.parents():
        found.append(ancestor)
        if ancestor.name() not in SHELLS:
            break
    return found


def _watch(watched: list[psutil.Process]) -> None:
    while all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in watched):
        time.sleep(POLL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def _interrupt(_number: int, _frame: object) -> None:
    """A polite end: what holds a run or a file open gets the chance to close it."""
    raise KeyboardInterrupt
