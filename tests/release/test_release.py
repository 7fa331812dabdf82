"""Releases made in a clone: one version everywhere, artifacts from the tag alone, and refusals."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from service.openapi import document
from tests.behaviour.drawing import drawing, picture
from tests.release.repository import ROOT, as_now, run, told

VERSION = "0.2.0"
UV = [sys.executable, "-m", "uv"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit of the project, and without a release."""
    if not (ROOT / ".git").exists():
        pytest.skip("NO GIT: this is not a git clone, so the project's files are not known")
    folder = tmp_path_factory.mktemp("release") / "project"
    folder.mkdir()
    as_now(folder)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A clone of `made` for each test."""
    told("git", "clone", "--quiet", str(made), str(tmp_path / "project"), cwd=tmp_path)
    return tmp_path / "project"


@pytest.fixture
def release(project: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    return lambda version: run(sys.executable, "release/tag.py", version, cwd=project)


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert YAML(typ="safe").load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == version
    assert document(())["info"]["version"] == version
    files = subprocess.run(
        [
            "git",
            "grep",
            "-lF",
            f'"{version}"',
            "--",
            "*Dockerfile",
            "*.py",
            "*.yml",
            "*.cff",
            "pyproject.toml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert set(files) <= {"pyproject.toml"}, "they would show an old version after the next release"


def test_release_is_one_commit_with_a_tag(
    project: Path, release: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    done = release(VERSION)
    assert done.returncode == 0, done.stderr
    assert f"make artifacts TAG=v{VERSION}" in done.stdout
    assert told("git", "tag", "--points-at", "HEAD", cwd=project).split() == [f"v{VERSION}"]
    assert told("git", "status", "--porcelain", cwd=project) == ""
    changed = told("git", "diff", "--name-only", "HEAD~", "HEAD", cwd=project).split()
    deployed = [name for name in changed if name.startswith("deploy/")]
    assert changed == ["CHANGELOG.md", "CITATION.cff", *deployed, "pyproject.toml"]
    named = told("git", "grep", "-hE", r"digits-\w+(, newTag: |:)[0-9]", "--", "deploy", cwd=project)
    assert {match for match in re.findall(r"\d+\.\d+\.\d+", named)} == {VERSION}
    assert tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"] == VERSION
    assert YAML(typ="safe").load((project / "CITATION.cff").read_text("utf-8"))["version"] == VERSION
    changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(
        rf"## \[Unreleased\]\n\n## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d\n\n- ", changelog
    )
    later = release("0.2.1")
    assert later.returncode == 1
    assert "nothing under `## [Unreleased]`" in later.stderr


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("", "`` is not a version. Give three numbers, as in `make release VERSION=0.2.0`."),
        ("0.2", "`0.2` is not a version"),
        ("v0.2.0", "`v0.2.0` is not a version"),
        ("0.02.0", "`0.02.0` is not a version"),
        ("0.0.9", "0.0.9 is older than"),
    ],
)
def test_bad_versions_are_refused(
    version: str,
    sentence: str,
    project: Path,
    release: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = release(version)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert told("git", "tag", cwd=project) == ""


def test_changes_and_a_tag_that_is_there_are_refused(
    project: Path, release: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    (project / "notes.txt").write_text("not committed")
    done = release(VERSION)
    assert (done.returncode, "not committed" in done.stderr) == (1, True)
    (project / "notes.txt").unlink()
    told("git", "tag", f"v{VERSION}", cwd=project)
    done = release(VERSION)
    assert (done.returncode, f"The tag v{VERSION} exists already" in done.stderr) == (1, True)
    assert told("git", "rev-list", "--count", "HEAD", cwd=project).strip() == "1"


def test_a_commit_that_git_refuses_leaves_all_as_it_was(
    project: Path, release: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    hook = project / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    done = release(VERSION)
    assert done.returncode == 1
    assert "could not commit: not today" in done.stderr
    assert told("git", "status", "--porcelain", cwd=project) == told("git", "tag", cwd=project) == ""


def test_a_tag_that_is_not_there_builds_nothing(project: Path) -> None:
    done = run("sh", "release/artifacts", "v9.9.9", cwd=project)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no tag v9.9.9 here. `make release VERSION=9.9.9` makes one")
    assert not (project / "build").exists()


@pytest.fixture(scope="module")
def artifacts(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The artifacts of a release, built in a checkout with uncommitted changes."""
    folder = tmp_path_factory.mktemp("artifacts")
    project = folder / "project"
    told("git", "clone", "--quiet", str(made), str(project), cwd=folder)
    (project / ".venv").symlink_to(Path(sys.prefix))
    told(sys.executable, "release/tag.py", VERSION, cwd=project)
    for name in ("digits/reader.py", "service/service.py"):
        (project / name).write_text("raise SystemExit('not of the release')\n")
    (project / "digits" / "secret.py").write_text("KEY = 1\n")
    (project / "models" / "champion").mkdir(parents=True)
    (project / "models" / "champion" / "manifest.json").write_text("{}")
    told("sh", "release/artifacts", f"v{VERSION}", cwd=project, PYTHONPATH=str(project), IMAGES="0")
    assert not (project / "build" / "release" / "source").exists()
    assert len(told("git", "worktree", "list", cwd=project).splitlines()) == 1
    yield project / "build" / "release" / f"v{VERSION}"
    shutil.rmtree(folder)


def test_artifacts_carry_the_version_and_their_sums(artifacts: Path) -> None:
    wheel, bento = f"digits-{VERSION}-py3-none-any.whl", f"digits-{VERSION}.bento"
    names = [wheel, bento]
    assert sorted(path.name for path in artifacts.iterdir()) == ["SHA256SUMS", *names]
    sums = told("sha256sum", "--check", "SHA256SUMS", cwd=artifacts)
    assert sums.splitlines() == [f"{name}: OK" for name in names]


def test_bento_is_of_the_tag_and_its_document_says_the_version(artifacts: Path, tmp_path: Path) -> None:
    with tarfile.open(artifacts / f"digits-{VERSION}.bento") as files:
        files.extractall(tmp_path, filter="data")
    described = YAML(typ="safe").load((tmp_path / "bento.yaml").read_text(encoding="utf-8"))
    assert (described["name"], described["version"]) == ("digits", VERSION)
    source = tmp_path / "src"
    assert not (source / "digits" / "secret.py").exists()
    assert not (source / "models").exists(), "a champion of the checkout is not of the release"
    code = "import json; from service.openapi import document; print(json.dumps(document(())['info']))"
    said = json.loads(told(sys.executable, "-c", code, cwd=source))
    assert said["version"] == VERSION


def test_wheel_is_of_the_tag_and_reads_a_digit(artifacts: Path, tmp_path: Path) -> None:
    wheel = artifacts / f"digits-{VERSION}-py3-none-any.whl"
    told(*UV, "venv", "--quiet", str(tmp_path / "venv"), cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    locked = ["--constraint", str(ROOT / "requirements" / "all.txt")]
    told(*UV, "pip", "install", "--quiet", "--python", str(python), *locked, str(wheel), cwd=tmp_path)
    picture(drawing("7")).save(tmp_path / "seven.png")
    said = told(str(python.with_name("digits")), "seven.png", cwd=tmp_path)
    assert said.startswith("seven.png: 7 (")
    code = "from importlib.metadata import version; print(version('digits'))"
    assert told(str(python), "-c", code, cwd=tmp_path).strip() == VERSION
