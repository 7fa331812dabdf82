"""Repositories with this checkout's files, in which tests make releases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.org"))
}


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `cwd`, without the variable that would make it import this checkout."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=variables | IDENTITY | environment, capture_output=True, text=True, timeout=300
    )


def told(*command: str, cwd: Path, **environment: str) -> str:
    """The output of a command, which must succeed."""
    done = run(*command, cwd=cwd, **environment)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def as_now(folder: Path) -> None:
    """Make a repository with one commit, which has this checkout's files, including uncommitted changes."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith("mlruns/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    changelog = folder / "CHANGELOG.md"  # just after a release, it may have no new entries
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace("## [Unreleased]\n", "## [Unreleased]\n\n- Something.\n", 1), "utf-8")
    told("git", "init", "--quiet", "--initial-branch=main", cwd=folder)
    told("git", "add", "--all", cwd=folder)
    told("git", "commit", "--quiet", "--message", "As now", cwd=folder)
    (folder / ".venv").symlink_to(Path(sys.prefix))
