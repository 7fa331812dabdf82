"""`python -m digits` as a person runs it, in a process of its own and in any folder."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300

Answers = list[dict[str, str]]


def started(*arguments: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    """The command, running."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return subprocess.Popen(
        [sys.executable, "-m", "digits", *arguments],
        cwd=cwd,
        env=environment | {"PYTHONPATH": str(ROOT)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Status, output and errors; a command that does not end is ended."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


def single(folder: str, cwd: Path) -> Answers:
    """What one process answers, by file."""
    status, out, err = finished(started("--format", "csv", folder, cwd=cwd))
    assert status in (0, 1), err
    return by_file(out)


def answers_in(folder: Path) -> Answers:
    """All rows of the CSV files in a folder, by file."""
    return sorted(
        (row for path in folder.glob("*.csv") for row in by_file(path.read_text(encoding="utf-8"))),
        key=lambda row: row["file"],
    )


def by_file(text: str) -> Answers:
    return sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["file"])
