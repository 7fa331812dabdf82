from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.mnist import sources
from pipeline.mnist.sources import files_of, within
from pipeline.project.errors import SourceError

ROOT = Path(__file__).resolve().parents[3]
FILES = {"images.gz": b"x" * 3_000_000}

Serve = Callable[..., str]


def test_within_gives_what_was_asked_for() -> None:
    assert within(5, lambda: 7) == 7


def test_within_raises_what_was_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_within_does_not_wait_for_a_slow_name_server() -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"no response within 0\.1 s"):
        within(0.1, lambda: time.sleep(20))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("tell_length", "total"), [(True, "3.00MB"), (False, "?B")])
def test_a_download_writes_lines_into_a_log(
    tell_length: bool,
    total: str,
    mirror: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sources, "LOG_SECONDS", 0.0)
    list(files_of(mirror(FILES, tell_length=tell_length), ["images"], 5))
    assert f"  images: 3.00M of {total}\n" in capsys.readouterr().err


def test_a_quick_download_is_silent_in_a_log(mirror: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    list(files_of(mirror(FILES), ["images"], 5))
    assert capsys.readouterr().err == ""


def test_a_download_draws_a_bar_on_a_terminal_even_if_that_tells_no_size(mirror: Serve) -> None:
    master, slave = os.openpty()
    program = f"from pipeline.mnist.sources import files_of; list(files_of({mirror(FILES)!r}, ['images'], 5))"
    subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, check=True
    )
    os.close(slave)
    assert b"\rimages:   0%|" in os.read(master, 10_000)
    os.close(master)
