"""The command of `make mlflow`: it prints the address, and stops immediately on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from pipeline import mlflow_ui
from pipeline.registry import runs
from pipeline.registry.runs_page import address
from tests.ports import free_port

pytestmark = [  # raised inside MLflow
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 3.0


@pytest.mark.usefixtures("project")
def test_address_is_the_page_of_the_experiment_with_its_columns() -> None:
    client = runs.connect()
    page = address(client, "http://127.0.0.1:5000")
    assert page.startswith("http://127.0.0.1:5000/#/experiments/1/runs?")
    assert page.endswith("viewStateShareKey=digits")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    assert "score/primary" in experiment.tags["mlflow.sharedViewState.digits"]


def test_server_that_will_not_end_is_ended_with_its_children() -> None:
    script = 'trap "" TERM; sleep 60 & echo $!; wait; wait'
    began = time.monotonic()
    with mlflow_ui.serving(f"sh -c '{script}'") as server:
        time.sleep(0.3)
    assert server.returncode == -signal.SIGKILL
    assert time.monotonic() - began < STOP_SECONDS


@pytest.mark.parametrize(("browser", "display"), [("none", ":0"), ("firefox", "")])
def test_browser_stays_closed(browser: str, display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("BROWSER", browser)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("a browser was opened"))
    assert not mlflow_ui.open_in_browser("http://127.0.0.1")


def test_browser_opens_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Mock(return_value=True)
    monkeypatch.setenv("BROWSER", "firefox")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", opened)
    assert mlflow_ui.open_in_browser("http://127.0.0.1")
    opened.assert_called_once_with("http://127.0.0.1")


def test_command_prints_the_page_and_ends_within_seconds_of_ctrl_c(project: Path) -> None:
    environment = {"MLFLOW_PORT": str(free_port()), "BROWSER": "none", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" -m pipeline.mlflow_ui', sys.executable],  # as in the background
        cwd=project,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "Starting MLflow ...\n"
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(60) == 0
        assert time.monotonic() - began < STOP_SECONDS
    finally:
        process.terminate()  # after a kill its server would keep running
        process.communicate()
