"""How a stage is run: its parameters, its exit code, what it may print, and when it ends."""

from __future__ import annotations

import argparse
import errno
import inspect
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psutil

from pipeline.project.errors import ParameterError, PipelineError
from pipeline.project.params import read_params
from pipeline.project.paths import PARAMS

SHELLS = {"sh", "dash", "bash", "zsh", "fish", "ksh"}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)
REMEDIES = {
    **dict.fromkeys(NO_ROOM, ("be written", "make room on its disk")),
    **dict.fromkeys(NOT_ALLOWED, ("be read or written", "let this user read and write it")),
}
POLL = 1.0  # seconds
GRACE = 20.0  # seconds that a stage has for its own end


def main(section: str, run: Callable[..., None]) -> int:
    """The command line of a stage, which takes --help alone; gives the exit code of `run_stage`."""
    argparse.ArgumentParser(
        prog=f"python -m pipeline.{section}",
        description=sys.modules[run.__module__].__doc__,
        epilog=f"Its parameters are the section {section!r} of {PARAMS}. `dvc repro {section}` runs it, and"
        " what it depends on, where something has changed.",
    ).parse_args()
    return run_stage(section, run)


def run_stage(section: str, run: Callable[..., None]) -> int:
    """Call `run(**params[section])` and give the exit code: 1 after an expected failure, told on stderr."""
    try:
        values = _parameters(section)
        check_names(section, run, values)
        run(**values)
    except PipelineError as error:
        print(f"{section}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (told := disk_trouble(error)) is None:
            raise
        print(f"{section}: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{section}: stopped", file=sys.stderr)
        return 130
    return 0


def disk_trouble(error: OSError) -> str | None:
    """What to do about a disk that is full, or a file that may not be written; None for any other error."""
    if error.errno not in REMEDIES:
        return None
    what, remedy = REMEDIES[error.errno]
    file = error.filename or "a file"
    return f"{file} cannot {what} ({error.strerror}): {remedy}, and run the same command again."


def _parameters(section: str) -> dict[str, Any]:
    try:
        return read_params(section)
    except FileNotFoundError:
        raise ParameterError(f"There is no {PARAMS} here: run this in the project's folder.") from None
    except KeyError:
        raise ParameterError(f"{PARAMS} has no section {section!r}.") from None


def check_names(section: str, function: Callable[..., object], values: dict[str, Any]) -> None:
    """Raise `ParameterError` where `values` are not the keywords that `function` asks for.

    What a `partial` has filled in already is not asked for.
    """
    given = function.keywords.keys() & values if isinstance(function, partial) else ()
    try:
        if given:
            raise TypeError(f"got an unexpected keyword argument {min(given)!r}")
        inspect.signature(function).bind(**values)
    except TypeError as error:
        raise ParameterError(f"{PARAMS}, section {section!r}: {error}.") from error


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


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; it is shown after all if something is raised.

    TensorFlow's C++ side tells about the processor before any of its log levels holds.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
