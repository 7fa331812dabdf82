"""Starts servers as processes for tests, and waits until they listen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

START_SECONDS = 120.0  # MLflow creates its tables first, and the machine may be busy


@contextmanager
def running(
    command: Sequence[str | Path | int], log: Path, environment: Mapping[str, str], user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in its own process group, which is ended at the end; `environment` is added to ours."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=os.environ | environment,
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            user=user,
            cwd="/",
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)  # a fast shutdown of PostgreSQL
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], host: str = "127.0.0.1") -> None:
    """Wait until a server listens on the port."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"{process.args!r} does not listen on {host}:{port}")


def wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until MLflow answers."""
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health", timeout=5, trust_env=False).is_success:
                return
        time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8")[-3000:])
