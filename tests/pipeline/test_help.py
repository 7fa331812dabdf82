"""`--help` prints help and starts nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ["fetch", "preprocess", "train", "evaluate", "relocate", "repro", "update", "promote", "profile"]
COMMANDS += ["rollback", "champion", "follow", "feedback", "drift", "rebuild_registry", "reproduce"]
MODULES = [*(f"pipeline.{name}" for name in COMMANDS), "pipeline.export", "ui.page", "ui.desktop", "digits"]


Asked = tuple[subprocess.CompletedProcess[str], Path]


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """The help of each command and the folder it ran in; two run concurrently, because most import a lot."""
    folders = [tmp_path_factory.mktemp(module) for module in MODULES]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(MODULES, zip(pool.map(ask, MODULES, folders), folders, strict=True), strict=True))


def ask(module: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("module", MODULES)
def test_help_says_what_a_command_does_and_does_not_do_it(module: str, helped: dict[str, Asked]) -> None:
    """Commands run in an empty folder, where other options would make them fail or write something."""
    done, folder = helped[module]
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
    assert len(done.stdout.splitlines()) > 4
    assert not [path for path in folder.iterdir() if not path.name.startswith(".")]
