"""How the command stops before its end: Ctrl-C, or nobody reads its output any more."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit status that a shell gives a command that Ctrl-C ended."""


def without_traceback(command: Callable[[], int]) -> int:
    """What `command` returns; 1 if whoever read the output has enough, as `head` does.

    After Ctrl-C the process ends by that signal, so that a shell's loop around it ends, too.
    """
    atexit.register(
        signal.signal, signal.SIGINT, signal.SIG_DFL
    )  # all is written: Ctrl-C is silent there, too
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _throw_away_the_rest()
        return 1
    except KeyboardInterrupt:
        return _end_by_signal()


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Within it Ctrl-C ends the process at once and in silence, in the middle of an import as well.

    For the time before anything is written. Where Ctrl-C is ignored (`nohup`) or somebody else's matter,
    it stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _throw_away_the_rest() -> None:
    """Python flushes both streams once more at its end, and would tell of the failure there."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _end_by_signal() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)
    return INTERRUPTED
