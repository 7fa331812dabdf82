"""data/accepted with real DVC and git: empty in a fresh clone, a dependency once it has files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.project.paths import ACCEPTED, ACCEPTED_POINTER

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parents[3]
STAGE = """stages:
  preprocess:
    cmd: echo ran >> ran; cp -r data/accepted data/processed
    deps: [data/accepted]
    params: [a]
    outs: [data/processed]
"""


def say(folder: Path, *arguments: str, succeeds: bool = True) -> str:
    """Run a command in a folder; returns its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    command = [sys.executable, "-m", *arguments] if arguments[0] == "dvc" else [*arguments]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | who | {"PATH": path}, capture_output=True, text=True
    )
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def clone(project: Path, name: str, remote: Path) -> Path:
    """Clone a checkout without DVC's cache, as another person does."""
    say(project.parent, "git", "clone", "--quiet", str(project), name)
    say(project.parent / name, "dvc", "remote", "add", "--quiet", "--local", "--default", "r", str(remote))
    return project.parent / name


def commit(folder: Path) -> None:
    say(folder, "git", "add", "--all")
    say(folder, "git", "commit", "--quiet", "--message", "A version")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with this project's git and DVC settings for its data, and one stage instead of four."""
    folder = tmp_path / "project"
    (folder / "data" / "accepted").mkdir(parents=True)
    for name in (".gitignore", ".dvcignore", "data/accepted/.gitkeep"):
        shutil.copy2(ROOT / name, folder / name)
    say(folder, "git", "init", "--quiet", "--initial-branch=main")
    say(folder, "dvc", "init", "--quiet")
    (folder / "dvc.yaml").write_text(STAGE)
    (folder / "params.yaml").write_text("a: 1\n")
    (folder / ".gitignore").write_text((folder / ".gitignore").read_text() + "/ran\n")
    say(folder, "dvc", "repro", "--quiet")
    commit(folder)
    return folder


@pytest.mark.heavy
def test_accepted_pictures_are_a_dependency_and_an_empty_folder_is_one_too(
    project: Path, tmp_path: Path
) -> None:
    remote = tmp_path / "remote"
    fresh = clone(project, "fresh", remote)
    said = say(fresh, "dvc", "repro")
    assert "WARNING" not in said
    assert (fresh / "ran").read_text() == "ran\n"
    assert say(fresh, "git", "status", "--short") == ""

    (project / ACCEPTED).mkdir()
    (project / ACCEPTED / "index.json").write_text("[]\n")
    say(project, "dvc", "add", "--quiet", str(ACCEPTED))
    say(project, "git", "add", str(ACCEPTED_POINTER))
    before = (project / ACCEPTED_POINTER).read_text()
    say(project, "dvc", "repro", "--quiet")
    assert (project / "ran").read_text() == "ran\n" * 2
    assert (project / "data" / "processed" / "pictures" / "index.json").exists()
    assert (project / ACCEPTED_POINTER).read_text() == before
    assert sorted(path.name for path in (project / ACCEPTED).iterdir()) == ["index.json"]
    say(project, "dvc", "exp", "run", "--temp", "--quiet", "--name", "tried", "--set-param", "a=2")
    refs = say(project, "git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (tried,) = [ref for ref in refs if ref.endswith("/tried")]
    (own,) = re.findall("path: data/accepted\n.*\n *md5: (.*)\n", (project / "dvc.lock").read_text())
    assert own in say(project, "git", "show", f"{tried}:dvc.lock"), "it has them before they are committed"
    commit(project)
    say(project, "dvc", "remote", "add", "--quiet", "--local", "--default", "r", str(remote))
    say(project, "dvc", "push", "--quiet")

    colleague = clone(project, "colleague", remote)
    told = say(colleague, "dvc", "repro", succeeds=False)
    assert f"missing data 'source': {ACCEPTED}" in told
    say(colleague, "dvc", "pull", "--quiet")
    say(colleague, "dvc", "repro", "--quiet")
    assert not (colleague / "ran").exists(), "nothing has to run"
    assert (colleague / ACCEPTED / "index.json").exists()
