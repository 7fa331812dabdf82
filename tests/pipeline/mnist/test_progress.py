from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.mnist import progress
from pipeline.mnist.progress import watched

ROOT = Path(__file__).resolve().parents[3]
CHUNKS = [b"x" * 1_000_000] * 3


def test_watched_writes_lines_into_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    assert list(watched(CHUNKS, "images", 3_000_000)) == CHUNKS
    said = capsys.readouterr().err
    assert said.splitlines() == [f"  images: {number}.0 of 3.0 MB" for number in (1, 2, 3)]
    list(watched(CHUNKS[:1], "images", None))
    assert capsys.readouterr().err == "  images: 1.0 MB\n"


def test_watched_is_silent_in_a_log_while_it_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(watched(CHUNKS, "images", 3_000_000)) == CHUNKS
    assert capsys.readouterr().err == ""


def test_watched_draws_a_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(watched(CHUNKS, "images", 3_000_000)) == CHUNKS
    said = capsys.readouterr().err
    assert "images:" in said
    assert "3.00M" in said
    assert "\r" in said


def test_watched_draws_a_bar_on_a_terminal_that_tells_no_size() -> None:
    master, slave = os.openpty()
    program = "from pipeline.mnist.progress import watched; list(watched([b'x' * 1000] * 3, 'images', 3000))"
    subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, check=True
    )
    os.close(slave)
    assert b"images:" in os.read(master, 10_000)
    os.close(master)
