"""Run a stage: read its parameters, set its exit code, filter its stderr, and end it with its parent."""

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
    **dict.fromkeys(NO_ROOM, ("be written", "Free some space on its disk")),
    **dict.fromkeys(NOT_ALLOWED, ("be read or written", "Allow this user to read and write it")),
}
POLL = 1.0  # seconds
GRACE = 20.0  # seconds that a stage has to shut down by itself


def main(section: str, run: Callable[..., None]) -> int:
    """Parse a stage's command line, whose only option is --help, and return the exit code of `run_stage`."""
    argparse.ArgumentParser(
        prog=f"python -m pipeline.{section}",
        description=sys.modules[run.__module__].__doc__,
        epilog=f"Its parameters are the section {section!r} of {PARAMS}. `dvc repro {section}` runs the stage"
        " and the stages before it if something has changed.",
    ).parse_args()
    return run_stage(section, run)


def run_stage(section: str, run: Callable[..., None]) -> int:
    """Call `run(**params[section])` and return the exit code.

    An expected failure is reported on stderr and gives 1; Ctrl-C gives 130.
    """
    try:
        values = _parameters(section)
        check_names(section, run, values)
        run(**values)
    except PipelineError as error:
        print(f"{section}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (message := disk_trouble(error)) is None:
            raise
        print(f"{section}: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{section}: stopped", file=sys.stderr)
        return 130
    return 0


def disk_trouble(error: OSError) -> str | None:
    """Return a message about a full disk or a file without permission; None for any other error."""
    if error.errno not in REMEDIES:
        return None
    what, remedy = REMEDIES[error.errno]
    file = error.filename or "a file"
    return f"{file} cannot {what} ({error.strerror}). {remedy}, and run the same command again."


def _parameters(section: str) -> dict[str, Any]:
    try:
        return read_params(section)
    except FileNotFoundError:
        raise ParameterError(f"There is no {PARAMS} here. Run this in the project's folder.") from None
    except KeyError:
        raise ParameterError(f"{PARAMS} has no section {section!r}.") from None


def check_names(section: str, function: Callable[..., object], values: dict[str, Any]) -> None:
    """Raise `ParameterError` unless `values` are exactly the keyword arguments that `function` needs.

    Arguments that a `partial` has already filled in are not needed, and may not be given.
    """
    given = function.keywords.keys() & values if isinstance(function, partial) else ()
    try:
        if given:
            raise TypeError(f"got an unexpected keyword argument {min(given)!r}")
        inspect.signature(function).bind(**values)
    except TypeError as error:
        raise ParameterError(f"{PARAMS}, section {section!r}: {error}.") from error


def end_with_parent() -> None:
    """Watch the process that started this one. When that process ends, stop as after Ctrl-C.

    Call this from the main thread. DVC runs a stage through a shell, and `kill -9` of dvc leaves that shell
    alive. If the parent is a shell, the shell's own parent is therefore watched too.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    watched = _starters(psutil.Process())
    threading.Thread(target=_watch, args=(watched,), name="end-with-parent", daemon=True).start()


def _starters(process: psutil.Process) -> list[psutil.Process]:
    """Return the parent process, and further ancestors as long as each one so far is a shell."""
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
    """Turn SIGTERM into `KeyboardInterrupt`, so that open runs and files are closed on the way out."""
    raise KeyboardInterrupt


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Suppress output to file descriptor 2, and print it after all if the block raises.

    TensorFlow's C++ code logs about the processor before its log level takes effect.
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
