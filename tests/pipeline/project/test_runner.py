"""How a stage is run: parameters, exit codes, the end together with its parent, and quiet stderr."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from pipeline.project import runner
from pipeline.project.errors import DataError, ParameterError
from pipeline.project.runner import check_names, quiet_stderr, run_stage


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("boil:\n  minutes: 5\n", encoding="utf-8")
    return tmp_path


def test_run_stage_passes_the_section_as_keywords() -> None:
    called: list[int] = []
    assert run_stage("boil", lambda minutes: called.append(minutes)) == 0
    assert called == [5]


def test_run_stage_names_a_misspelt_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(seconds: int) -> None:
        raise AssertionError(seconds)

    assert run_stage("boil", boil) == 1
    assert "params.yaml, section 'boil'" in (said := capsys.readouterr().err)
    assert "'seconds'" in said or "'minutes'" in said


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "no params.yaml here"), ("fry: {}", "no section 'boil'")]
)
def test_run_stage_without_parameters_says_so(
    content: str | None, reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "params.yaml"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert run_stage("boil", lambda minutes: print(minutes)) == 1
    assert reason in capsys.readouterr().err


def test_run_stage_makes_a_sentence_of_an_expected_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(minutes: int) -> None:
        raise DataError(f"no water for {minutes} minutes")

    assert run_stage("boil", boil) == 1
    assert capsys.readouterr().err == "boil: no water for 5 minutes\n"


def test_run_stage_ends_with_130_when_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    def boil(minutes: int) -> None:
        raise KeyboardInterrupt(minutes)

    assert run_stage("boil", boil) == 130
    assert "stopped" in capsys.readouterr().err


def test_run_stage_lets_a_bug_be_seen() -> None:
    with pytest.raises(ZeroDivisionError):
        run_stage("boil", lambda minutes: minutes / 0)


def test_check_names_refuses_what_is_filled_in_already() -> None:
    def boil(minutes: int, *, water: str, lid: bool = False) -> None:
        raise AssertionError(minutes, water, lid)

    check_names("boil", partial(boil, water="salt"), {"minutes": 5, "lid": True})
    with pytest.raises(ParameterError, match="'water'"):
        check_names("boil", partial(boil, water="salt"), {"minutes": 5, "water": "fresh"})


ROOT = Path(__file__).resolve().parents[3]

STAGE = """
import pathlib, sys, time
from pipeline.project import runner
runner.POLL = 0.1
runner.end_with_parent()
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
    found = runner._starters(psutil.Process())
    assert found
    assert all(process.name() in runner.SHELLS for process in found[:-1])


def test_quiet_stderr_holds_back_what_c_code_writes(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        os.write(2, b"about the processor")
    os.write(2, b"later")
    assert capfd.readouterr().err == "later"


def test_quiet_stderr_shows_it_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, b"the reason")
        raise ImportError

    with pytest.raises(ImportError), quiet_stderr():
        fail()
    assert capfd.readouterr().err == "the reason"


@pytest.mark.parametrize(
    ("block", "noisy"),
    [
        ("quiet_stderr()", False),
        pytest.param("contextlib.nullcontext()", True, marks=pytest.mark.heavy),  # whether it is still needed
    ],
)
def test_quiet_stderr_is_what_keeps_tensorflow_silent(block: str, noisy: bool, tmp_path: Path) -> None:
    """In spite of its log level, TensorFlow logs about the processor and CUDA while it is imported."""
    code = (
        "import contextlib\nfrom pipeline.project.runner import quiet_stderr\n"
        f"with {block}:\n    import tensorflow\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert bool(done.stderr) is noisy, done.stderr
