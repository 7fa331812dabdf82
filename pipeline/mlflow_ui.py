"""Start MLflow's server, and print and open its page of runs: `make mlflow`.

Ctrl-C stops it immediately. MLFLOW_PORT sets the port, and BROWSER=none does not open a browser. If a team
has a server (MLFLOW_TRACKING_URI, docs/team.md), its page is opened and no server is started.
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

STOP_SECONDS = 0.3  # for the server to shut down by itself; it has no state that could be lost
POLL_SECONDS = 0.2


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.mlflow_ui", description=__doc__).parse_args()
    for ending in (signal.SIGTERM, signal.SIGINT):  # shells start background processes with SIGINT ignored
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
    """Run the server in its own process group, which is ended as a whole.

    MLflow's job execution is disabled. It is for features that this project does not use (judging traces with
    language models), and its seven processes take half a minute to start and more than ten seconds to end.
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
        with suppress(ProcessLookupError):  # the rest of the group, and a server that is still starting
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def watch(process: subprocess.Popen[bytes], program: launch.Program, page: str) -> int:
    """Open the page once the server is ready; returns the server's exit code if it ends by itself."""
    print("Starting MLflow ...", flush=True)
    while process.poll() is None and not launch.is_ready(program):
        time.sleep(POLL_SECONDS)
    if process.poll() is None:
        show(page)
        print("Press Ctrl-C to stop MLflow.", flush=True)
    return process.wait() or 1


def show(page: str) -> None:
    """Print the URL of the page of runs, and open it."""
    print(f"All runs: {page}", flush=True)
    open_in_browser(page)


def open_in_browser(page: str) -> bool:
    """Open a page in a browser, unless there is no display or BROWSER is "none"; returns whether it did."""
    unseen = sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return os.environ.get("BROWSER") != "none" and not unseen and webbrowser.open(page)


if __name__ == "__main__":
    sys.exit(main())
