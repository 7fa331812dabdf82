"""A stage ends with the command that started it, also through a shell and after `kill -9`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline import parent

ROOT = Path(__file__).resolve().parents[2]

STAGE = """
import pathlib, sys, time
from pipeline import parent
parent.POLL = 0.1
parent.end_with_parent()
pathlib.Path("started").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path("closed").write_text("the run is closed")
"""
COMMAND = "import subprocess, sys; subprocess.run(['sh', '-c', sys.argv[1] + ' -c \"$STAGE\"; true'])"


def wait_for(path: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_stage_ends_when_its_command_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    environment = {"STAGE": STAGE, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", COMMAND, sys.executable]
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
        wait_for(tmp_path / "started")
        started = psutil.Process(process.pid).children(recursive=True)
        assert len(started) == 2, "a shell and the stage"
        process.send_signal(number)
    wait_for(tmp_path / "closed")
    gone, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
    assert len(gone) == 2


def test_starters_end_at_the_first_that_is_no_shell() -> None:
    found = parent._starters(psutil.Process())
    assert found
    assert all(process.name() in parent.SHELLS for process in found[:-1])
