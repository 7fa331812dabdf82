"""Readers never see half a file, and no two processes hold the same lock."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.project.files import atomic_write, locked, write_bytes, write_csv, write_text

ROOT = Path(__file__).resolve().parents[3]
HOLD = """
import sys, time
from pathlib import Path
from pipeline.project.files import locked
with locked(Path("lock"), "waits"):
    Path(sys.argv[1]).touch()
    time.sleep(60)
"""


def test_atomic_write_leaves_the_old_file_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.suffix == ".txt"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_atomic_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_bytes(b"ne")
            raise OSError("The disk is full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_csv_columns(tmp_path: Path) -> None:
    write_csv(tmp_path / "deep" / "a.csv", {"epoch": range(1, 3), "loss": [0.5, 0.25]})
    assert (tmp_path / "deep" / "a.csv").read_text() == "epoch,loss\n1,0.5\n2,0.25\n"


def test_write_csv_of_unequal_columns(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_csv(tmp_path / "a.csv", {"epoch": [1, 2], "loss": [0.5]})
    assert not list(tmp_path.iterdir())


def test_locked_waits_for_another_process_and_survives_its_kill(tmp_path: Path) -> None:
    """The second process prints that it waits, and continues as soon as the first was killed."""
    with holding(tmp_path, "first") as first:
        try:
            appears(tmp_path / "first")
            with holding(tmp_path, "second") as second:
                try:
                    assert second.stdout is not None
                    assert second.stdout.readline() == "waits\n"
                    assert not (tmp_path / "second").exists()
                    first.kill()
                    appears(tmp_path / "second")
                finally:
                    second.kill()
        finally:
            first.kill()


def test_locked_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "deep" / "lock"):
            pass


def holding(folder: Path, name: str) -> subprocess.Popen[str]:
    """A process that takes the folder's lock, creates a file with this name and keeps the lock."""
    command = [sys.executable, "-c", HOLD, name]
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE)


def appears(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.02)
