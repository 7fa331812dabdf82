"""The service ends soon after a signal, whatever runs, and its workers end with it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.ports import free_port
from tests.service.hostile_pictures import bmp_of_runs
from tests.service.slow_model import slow

Serving = Callable[..., Any]
MOST_SECONDS = 10


def workers(server: Any) -> list[psutil.Process]:
    """The descendants of the service's process."""
    parent: psutil.Process = psutil.Process(server.process.pid)
    return list(parent.children(recursive=True))


def runs(process: psutil.Process) -> bool:
    """Whether the process is running; a zombie is not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def assert_all_end(server: Any, processes: list[psutil.Process], seconds: float) -> None:
    """Assert that the processes end in this time and free the port."""
    end = time.monotonic() + seconds
    while any(map(runs, processes)):
        assert time.monotonic() < end
        time.sleep(0.1)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(server.url.rpartition(":")[2])))


def test_sigterm_ends_a_service_that_tries_an_endless_model(
    tmp_path: Path,
    serving: Serving,
    promote: Callable[..., None],
    nearest_digit: Callable[..., bytes],
    seven: bytes,
) -> None:
    promote(tmp_path / "champion", "1")
    with serving(tmp_path / "champion", tmp_path / "home") as server:
        processes = workers(server)
        promote(tmp_path / "champion", "2", slow(nearest_digit(), rounds=10**12))
        time.sleep(2)
        assert server.post("/predict", seven).json()["model"] == "1"
        assert max(process.cpu_percent(0.5) for process in processes) > 50, "the model is being tried"
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(MOST_SECONDS)
        assert time.monotonic() - begin < MOST_SECONDS
        assert_all_end(server, processes, 2)


@pytest.mark.heavy
def test_sigterm_ends_a_service_that_decodes_what_takes_long(
    tmp_path: Path, serving: Serving, promote: Callable[..., None]
) -> None:
    promote(tmp_path / "champion", "1")
    costly = bmp_of_runs(19 * 2**20)

    def ask(url: str) -> int:
        try:
            return httpx.post(url, files={"image": costly}, timeout=30, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    with (
        serving(tmp_path / "champion", tmp_path / "home", WORKERS="2") as server,
        ThreadPoolExecutor(12) as pool,
    ):
        asked = [pool.submit(ask, server.url + "/predict") for _ in range(12)]
        time.sleep(2.5)
        processes = workers(server)
        assert len(processes) > 2, "the workers and their sandboxes"
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(MOST_SECONDS)
        assert time.monotonic() - begin < MOST_SECONDS
        assert_all_end(server, processes, 2)
        assert {each.result() for each in asked} <= {413, 503, 500, 0}


def test_workers_end_with_the_process_that_supervises_them(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    serving: Serving,
    promote: Callable[..., None],
) -> None:
    promote(tmp_path / "champion", "1")
    with serving(tmp_path / "champion", tmp_path / "home", WORKERS="2") as server:
        while server.log.read_text().count("Completed async startup hook") < 2:
            time.sleep(0.1)
        processes = workers(server)
        slow = http.client.HTTPConnection(server.url.removeprefix("http://"))
        slow.putrequest("POST", "/predict")
        slow.putheader("Content-Length", "1000000")
        slow.endheaders(b"a sender that never ends")
        request.addfinalizer(slow.close)
        server.process.kill()
        server.process.wait()
        assert_all_end(server, processes, MOST_SECONDS)


@pytest.mark.heavy
def test_sigterm_ends_a_service_that_begins_with_an_endless_model(
    tmp_path: Path, promote: Callable[..., None], nearest_digit: Callable[..., bytes]
) -> None:
    promote(tmp_path / "champion", "1", slow(nearest_digit(), rounds=10**12))
    variables = {"BENTOML_HOME": str(tmp_path), "MODEL_DIR": str(tmp_path / "champion"), "HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "bentoml", "serve", "service.service:DigitsService"]
    process = psutil.Popen([*command, "--port", str(free_port())], env=os.environ | variables)
    try:
        while not any(runs(each) and each.cpu_times().user > 3 for each in process.children(recursive=True)):
            time.sleep(0.2)
        children = process.children(recursive=True)
        begin = time.monotonic()
        for _ in range(3):  # repeated signals do not extend the deadline
            process.send_signal(signal.SIGTERM)
            time.sleep(1)
        process.wait(MOST_SECONDS)
        assert time.monotonic() - begin < MOST_SECONDS
        assert not any(map(runs, children))
    finally:
        for each in (*(process.children(recursive=True) if runs(process) else ()), process):
            with suppress(psutil.NoSuchProcess):
                each.kill()
