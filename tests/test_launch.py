"""The launcher: ports, readiness, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launch import set_feedback_folder
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent


def launch(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "launch.py"), *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(*arguments: str, **environment: str) -> tuple[int, str]:
    """Return the exit code and output of a launch that ends by itself."""
    process = launch(*arguments, **environment)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_check_of_a_taken_port_names_it_and_what_to_do(taken: int) -> None:
    code, output = finished("--check", "service", SERVICE_PORT=str(taken), HOST="127.0.0.1")
    assert code == 1
    assert f"Port {taken} is already in use" in output
    assert f"Stop the program that uses it with `kill {os.getpid()}` (" in output
    assert "set SERVICE_PORT" in output


def test_check_of_free_ports_is_silent() -> None:
    assert finished("--check", "page", PAGE_PORT=str(free_port())) == (0, "")


@pytest.mark.parametrize("value", ["http", "0", "70000", "-1"])
def test_check_of_a_port_that_is_none_says_so(value: str) -> None:
    code, output = finished("--check", "page", PAGE_PORT=value)
    assert code == 1
    assert f"PAGE_PORT={value} is not a port" in output


def test_launch_of_an_unknown_program_lists_the_known_ones() -> None:
    code, output = finished("servise")
    assert code == 2
    assert "service, page, mlflow" in output


def said_until(process: subprocess.Popen[str], mark: str) -> str:
    """Return the output up to the first line with `mark`, or all of it if there is no such line."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if mark in line:
            break
    return said


@pytest.fixture
def watched() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start launches that end with the test, or are killed after two minutes."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = launch(*arguments, **environment)
        processes.append(process)
        watchdog = threading.Timer(120, process.kill)
        watchdog.daemon = True
        watchdog.start()
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)  # killed, it would leave behind what it started
        process.communicate()


def test_launch_with_a_model_folder_that_holds_none_says_so_and_starts_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / "typo")
    code, output = finished("service", SERVICE_PORT=str(free_port()), MODEL_DIR=folder)
    assert code == 1
    assert output.count("\n") == 1
    assert f"MODEL_DIR={folder} does not contain a model" in output
    assert "pipeline.export" in output


def test_launch_starts_both_says_where_and_stops_on_ctrl_c(
    watched: Callable[..., subprocess.Popen[str]], model_folder: Path
) -> None:
    service, page = free_port(), free_port()
    process = watched(SERVICE_PORT=str(service), PAGE_PORT=str(page), MODEL_DIR=str(model_folder))
    said = said_until(process, "Ctrl-C stops")
    assert re.search(rf"Service +http://127.0.0.1:{service}\b", said), said
    assert re.search(rf"Page +http://127.0.0.1:{page}\b", said), said
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for port in (service, page):
        with direct.open(f"http://127.0.0.1:{port}/", timeout=10) as response:
            assert response.status == 200
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, rest
    for port in (service, page):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_make_run_keeps_feedback_and_says_so_unless_told_not_to(
    watched: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Launches like `make run`, with a folder and with none, and like `make serve`."""
    folder = tmp_path / "feedback"
    for arguments, named, told in (
        (["service", "--train"], str(folder), f"(stores the pictures that you correct in {folder};"),
        (["service", "--train"], "", ""),
        (["service"], None, ""),
    ):
        port = free_port()
        environment = {"SERVICE_PORT": str(port), "TRAIN": "0", "DVC_ROOT": str(tmp_path)}
        process = watched(*arguments, **environment, **({} if named is None else {"FEEDBACK_DIR": named}))
        said = said_until(process, "Ctrl-C stops")
        (line,) = [line for line in said.splitlines() if re.search("Service +http", line)]
        assert told in line
        assert ("stores the pictures" in line) is bool(told)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert folder.is_dir()


def test_make_run_keeps_feedback_in_the_projects_data(monkeypatch: pytest.MonkeyPatch) -> None:
    for set_to, train, settled in (
        (None, True, str(ROOT / "data" / "feedback")),
        (None, False, ""),
        ("", True, ""),
        ("mine", False, str(Path("mine").resolve())),
    ):
        monkeypatch.delenv("FEEDBACK_DIR", raising=False)
        if set_to is not None:
            monkeypatch.setenv("FEEDBACK_DIR", set_to)
        set_feedback_folder(train)
        assert os.environ["FEEDBACK_DIR"] == settled


def test_launch_follows_the_registry_until_ctrl_c(
    watched: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = watched("service", SERVICE_PORT=str(free_port()), DVC_ROOT=str(tmp_path))
    said = said_until(process, "There is no registry")
    assert f"follower: There is no registry ({tmp_path}" in said
    (follower,) = followers(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert (
        not follower.is_running() or follower.status() == psutil.STATUS_ZOMBIE
    )  # not every process 1 reaps orphans


def test_launch_with_a_model_folder_of_ones_own_follows_no_registry(
    watched: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    folder = str(ROOT / "digits" / "default")
    process = watched("service", SERVICE_PORT=str(free_port()), MODEL_DIR=folder, DVC_ROOT=str(tmp_path))
    said_until(process, "Ctrl-C stops")
    time.sleep(1)
    assert followers(process) == []


def followers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the registry followers among the child processes of a launch."""
    below = psutil.Process(process.pid).children(recursive=True)
    return [one for one in below if "pipeline.follow" in one.cmdline()]
