"""Start MLflow's server over all runs, print and open the page of the runs: `make mlflow`.

Ctrl-C ends it at once. MLFLOW_PORT moves it; BROWSER=none opens nothing. Where a team has a server of its own
(MLFLOW_TRACKING_URI, docs/team.md), that one's page is opened, and none is started.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import launch
from pipeline.project.env_file import tracking_uri
from pipeline.registry import runs, server
from pipeline.registry.access import command
from pipeline.registry.runs_page import address

STOP_SECONDS = 0.3  # that the server has for its own end: it holds nothing that could be lost
POLL_SECONDS = 0.2


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.mlflow_ui", description=__doc__).parse_args()
    for ending in (signal.SIGTERM, signal.SIGINT):  # the latter is ignored by what a shell starts with "&"
        signal.signal(ending, signal.default_int_handler)
    if server.is_server(uri := tracking_uri()):
        return command(lambda: show(address(runs.connect(), uri.rstrip("/"))))
    program = launch.PROGRAMS["mlflow"]
    launch.require_free(program)
    pages: list[str] = []
    own = f"http://{launch.shown_host()}:{program.port}"
    try:
        if failed := command(lambda: pages.append(address(runs.connect(), own))):
            return failed
        (page,) = pages
        with serving(program.command) as process:
            return watch(process, program, page)
    except KeyboardInterrupt:
        return 0


@contextmanager
def serving(started: str) -> Iterator[subprocess.Popen[bytes]]:
    """The server, in a group of its own that is ended as a whole.

    Its jobs are for what this project does not use (traces judged by language models); their seven processes
    take half a minute to start and more than ten seconds to end.
    """
    environment = os.environ | launch.QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(shlex.split(started), env=environment, cwd=launch.HERE, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):  # the rest of the group, and a server that is busy starting
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def watch(process: subprocess.Popen[bytes], program: launch.Program, page: str) -> int:
    """Say where the runs are and open them once the server answers; its exit code when it ends by itself."""
    print("MLflow starts ...", flush=True)
    while process.poll() is None and not launch.is_ready(program):
        time.sleep(POLL_SECONDS)
    if process.poll() is None:
        show(page)
        print("Ctrl-C ends it.", flush=True)
    return process.wait() or 1


def show(page: str) -> None:
    """Say where all runs are, and open the page."""
    print(f"All runs: {page}", flush=True)
    open_in_browser(page)


def open_in_browser(page: str) -> bool:
    """Open a page where somebody can see it: not without a screen, nor where BROWSER is "none"."""
    unseen = sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return os.environ.get("BROWSER") != "none" and not unseen and webbrowser.open(page)


if __name__ == "__main__":
    sys.exit(main())
