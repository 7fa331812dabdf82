"""Temporary files of killed writers are removed later, and a full disk is reported with the file's name."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.project.files import atomic_write, write_text
from pipeline.project.runner import run_stage
from pipeline.repro import remove_torn_lock


def test_the_next_writer_removes_what_a_killed_one_left_and_not_what_a_living_one_writes(
    tmp_path: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        pass
    for owner in (ended.pid, os.getppid()):
        (tmp_path / f".{owner}.a[1].txt").write_text("half")
    (tmp_path / f".{ended.pid}.b.txt").write_text("another file's")
    write_text(tmp_path / "a[1].txt", "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f".{os.getppid()}.a[1].txt", f".{ended.pid}.b.txt", "a[1].txt"}


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free some space on its disk"), (errno.EROFS, "Allow this user to read and write it")],
)
def test_a_stage_says_which_file_cannot_be_written_and_what_to_do(
    number: int,
    remedy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def boil() -> None:
        with atomic_write(tmp_path / "tea.txt"):
            raise OSError(number, os.strerror(number))

    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("boil: {}\n", encoding="utf-8")
    assert run_stage("boil", boil) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(tmp_path / "tea.txt") in said
    assert f"({os.strerror(number)}). {remedy}" in said


def test_a_stage_lets_other_errors_of_files_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("boil: {}\n", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        run_stage("boil", lambda: Path("no tea").unlink())


@pytest.mark.parametrize(("content", "stays"), [('{"a": [1]}', True), ('{"a": [1', False), ("", False)])
def test_a_lock_of_dvc_that_a_kill_has_torn_is_removed(content: str, stays: bool, tmp_path: Path) -> None:
    path = tmp_path / "rwlock"
    path.write_text(content, encoding="utf-8")
    remove_torn_lock(path)
    assert path.exists() is stays
    remove_torn_lock(tmp_path / "none")
