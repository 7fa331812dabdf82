"""Stopping the command early, on Ctrl-C or when the program that reads its output has stopped."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERRUPTED = 130
"""The exit status that a shell reports for a command that Ctrl-C ended."""


def without_traceback(command: Callable[[], int]) -> int:
    """Run `command` and return its exit status, or 1 if the program that reads its output (`head`) has ended.

    After Ctrl-C the process ends by that signal, so that a shell loop around it ends too.
    """
    # Ctrl-C must be silent while the interpreter exits, too.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
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
    """Within this context, Ctrl-C ends the process immediately and silently, even during an import.

    Use it only while nothing has been written. It changes nothing if Ctrl-C is ignored (`nohup`) or has
    another handler.
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
    """Redirect broken streams to /dev/null, because Python would report the error when it flushes them."""
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
