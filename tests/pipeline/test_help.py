"""`--help` helps, and starts nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["fetch", "preprocess", "train", "evaluate", "relocate", "repro", "update", "promote", "profile"]
MODULES = [*(f"pipeline.{name}" for name in COMMANDS), "pipeline.export", "ui.page", "ui.desktop", "digits"]


@pytest.mark.parametrize("module", MODULES)
def test_help_says_what_a_command_does_and_does_not_do_it(module: str, tmp_path: Path) -> None:
    """In an empty folder, where every command would fail or write something."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
    assert len(done.stdout.splitlines()) > 4
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
