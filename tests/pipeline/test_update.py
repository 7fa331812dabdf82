"""`make update` in real checkouts: a project, and a clone in which models were trained."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline import update
from pipeline.project.errors import UpdateError

WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *WHO, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, **files: str) -> None:
    """Commit files, given by names in which `_` stands for a dot and `__` for a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A version")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, dvc_lock="theirs 1\n", reports__metrics_json="theirs 1\n", params_yaml="epochs: 1\n")
    return folder


@pytest.fixture
def clone(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with uncommitted results of its own training, as the current folder."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(project), str(folder))
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    trained(folder)
    monkeypatch.chdir(folder)
    return folder


def trained(folder: Path) -> None:
    (folder / "dvc.lock").write_text("mine\n")
    (folder / "reports" / "metrics.json").write_text("mine\n")


def contents(folder: Path) -> dict[str, str]:
    files = git(folder, "ls-files").splitlines()
    return {name: (folder / name).read_text() for name in files}


NEW = {"dvc.lock": "theirs 2\n", "reports/metrics.json": "theirs 2\n", "params.yaml": "epochs: 1\n"}


def test_update_after_a_training(project: Path, clone: Path) -> None:
    """The state in which `git pull` refuses."""
    commit(project, dvc_lock="theirs 2\n", reports__metrics_json="theirs 2\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "pull", "--quiet", "--no-rebase")
    assert "done" in update.update()
    assert contents(clone) == NEW
    assert not git(clone, "status", "--porcelain")


def test_update_keeps_changes_of_other_files(project: Path, clone: Path) -> None:
    (clone / "params.yaml").write_text("epochs: 9\n")
    commit(project, dvc_lock="theirs 2\n", reports__metrics_json="theirs 2\n")
    update.update()
    assert contents(clone) == NEW | {"params.yaml": "epochs: 9\n"}


def test_update_after_a_training_that_was_committed(project: Path, clone: Path) -> None:
    """Committed parameters are kept; generated files become the project's."""
    commit(clone, params_yaml="epochs: 9\n")
    commit(project, dvc_lock="theirs 2\n", reports__metrics_json="theirs 2\n")
    assert "done" in update.update()
    assert contents(clone) == NEW | {"params.yaml": "epochs: 9\n"}
    assert not git(clone, "status", "--porcelain")


def test_update_after_a_pull_that_left_conflict_marks(project: Path, clone: Path) -> None:
    commit(clone, params_yaml="epochs: 9\n")
    commit(project, dvc_lock="theirs 2\n", reports__metrics_json="theirs 2\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "pull", "--quiet", "--no-rebase")
    assert "<<<<<<<" in (clone / "dvc.lock").read_text()
    assert "done" in update.update()
    assert contents(clone) == NEW | {"params.yaml": "epochs: 9\n"}


def test_update_of_a_report_that_the_project_removed(project: Path, clone: Path) -> None:
    commit(clone, params_yaml="epochs: 9\n")
    (project / "reports" / "metrics.json").unlink()
    commit(project, dvc_lock="theirs 2\n")
    update.update()
    assert contents(clone) == {"dvc.lock": "theirs 2\n", "params.yaml": "epochs: 9\n"}


def test_update_names_what_both_have_changed(project: Path, clone: Path) -> None:
    commit(clone, params_yaml="epochs: 9\n")
    commit(project, params_yaml="epochs: 2\n")
    with pytest.raises(UpdateError, match=r"both changed params\.yaml"):
        update.update()
    (clone / "params.yaml").write_text("epochs: 9\n")
    git(clone, "add", "params.yaml")
    assert "done" in update.update()
    assert (clone / "params.yaml").read_text() == "epochs: 9\n"


def test_update_leaves_changes_that_a_merge_would_overwrite(project: Path, clone: Path) -> None:
    (clone / "params.yaml").write_text("epochs: 9\n")
    commit(project, params_yaml="epochs: 2\n")
    with pytest.raises(UpdateError, match="Commit or stash"):
        update.update()
    assert (clone / "params.yaml").read_text() == "epochs: 9\n"


@pytest.mark.usefixtures("clone")
def test_update_twice(project: Path) -> None:
    commit(project, params_yaml="epochs: 2\n")
    assert "done" in update.update()
    assert "already the newest version" in update.update()


def test_update_without_git_or_upstream(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "unpacked").mkdir()
    monkeypatch.chdir(tmp_path / "unpacked")
    with pytest.raises(UpdateError, match="not a git checkout"):
        update.update()
    monkeypatch.chdir(project)
    with pytest.raises(UpdateError, match="no upstream branch"):
        update.update()


def test_update_keeps_results_where_there_is_nothing_new(clone: Path) -> None:
    assert "already the newest version" in update.update()
    assert (clone / "dvc.lock").read_text() == "mine\n"


def test_update_brings_a_report_that_lies_here_untracked(project: Path, clone: Path) -> None:
    (clone / "reports" / "new.json").write_text("mine\n")
    commit(project, reports__new_json="theirs\n")
    assert "done" in update.update()
    assert (clone / "reports" / "new.json").read_text() == "theirs\n"


def test_update_where_git_does_not_know_who_commits(
    project: Path, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(clone, params_yaml="epochs: 9\n")
    commit(project, dvc_lock="theirs 2\n")
    for name in ("user.name", "user.email"):
        git(clone, "config", "--unset", name)
    git(clone, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert "done" in update.update()


def test_update_in_a_rebase_that_has_stopped(project: Path, clone: Path) -> None:
    commit(clone, params_yaml="epochs: 9\n")
    commit(project, dvc_lock="theirs 2\n", reports__metrics_json="theirs 2\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "pull", "--quiet", "--rebase")
    with pytest.raises(UpdateError, match="git rebase --abort"):
        update.update()
    git(clone, "rebase", "--abort")
    assert "done" in update.update()


@pytest.mark.usefixtures("project")
def test_update_without_a_branch(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "--detach", "--force")
    with pytest.raises(UpdateError, match="No branch is checked out"):
        update.update()
