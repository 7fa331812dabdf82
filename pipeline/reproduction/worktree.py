"""Check out a commit in a git worktree, and run the stages there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from dvc.repo import Repo

from pipeline.project.errors import ReproduceError
from pipeline.project.files import locked
from pipeline.project.paths import ACCEPTED_POINTER, RAW, root

PLACE = Path("build/reproduce")
GRACE = 25.0  # seconds that a stage has to shut down by itself
ELSEWHERE = ("MLFLOW_", "DVC_")  # prefixes of variables that could make a stage use another folder or server
PLAIN = ("-c", "core.hooksPath=/dev/null")  # the user's hooks are only for their own checkouts


def resolve(commit: str) -> str:
    """Return the full hash of a commit; raises `ReproduceError` if git or the commit is missing."""
    if git("rev-parse", "--show-toplevel", fails=True) is None:
        raise ReproduceError("This is not a git checkout. The code of a run can only be restored from git.")
    found = git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", fails=True)
    if found is None:
        raise ReproduceError(
            f"Commit {commit[:12]} is not in this repository. `git fetch` it from the author of the run."
        )
    return found


@contextmanager
def worktree(commit: str, name: str, *, keep: bool) -> Iterator[Path]:
    """Yield a folder called `name` with that commit; it is removed at the end unless `keep` is set.

    The remains of a killed process are removed first. Raises `ReproduceError` if git fails.
    """
    folder = root() / PLACE / name
    with locked(folder.with_name(f".{name}.lock"), f"reproduce: waiting for another reproduction of {name}"):
        _remove(folder)
        git(*PLAIN, "worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            if not keep:
                _remove(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    git("worktree", "prune", fails=True)


def run_stage(stage: str, folder: Path, settings: Mapping[str, str]) -> None:
    """Run a stage in the worktree, with additional `settings` in its environment.

    Raises `ReproduceError` if it fails. An interruption also ends the stage, and waits for it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    environment |= {
        "MLFLOW_TRACKING_URI": "",  # the worktree's own store, even if .env names another
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(folder),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")]),
    }
    environment |= settings
    process = psutil.Popen([sys.executable, "-m", f"pipeline.{stage}"], cwd=folder, env=environment)
    try:
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    if status:
        raise ReproduceError(f"The stage {stage} failed at that commit. The reason is above.")


def _end(process: psutil.Popen) -> None:
    """End a process and its children, because they would write into a folder that is being removed."""
    family = [process, *process.children(recursive=True)] if process.is_running() else [process]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    _, alive = psutil.wait_procs(family, GRACE)
    for one in alive:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(alive, GRACE)


def raw_data(hashes: Mapping[str, str]) -> dict[str, str]:
    """Return the setting that makes `fetch` use this checkout's data/raw; {} if the hashes differ."""
    if os.environ.get("MNIST_DIR"):
        return {}
    for name, sha256 in hashes.items():
        path = root() / RAW / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            return {}
    return {"MNIST_DIR": str(root() / RAW)}


def bring_data(folder: Path) -> None:
    """Restore the accepted feedback of the run with DVC, from this checkout's cache or its remote.

    Raises `ReproduceError` if neither has it.
    """
    if not (folder / ACCEPTED_POINTER).is_file():
        return
    with Repo(str(root())) as repo:
        cache = repo.cache.local_cache_dir
    own = root() / ".dvc" / "config.local"
    if own.is_file():  # the remote's address and keys
        shutil.copy2(own, folder / ".dvc" / "config.local")
    for setting in (("core.no_scm", "true"), ("cache.dir", cache)):
        _dvc(folder, "config", "--local", *setting)
    pointer = str(ACCEPTED_POINTER)
    if _dvc(folder, "checkout", pointer) and _dvc(folder, "pull", pointer):
        raise ReproduceError(f"The data of {pointer} is neither in DVC's cache nor in its remote.")


def _dvc(folder: Path, *arguments: str) -> int:
    command = [sys.executable, "-m", "dvc", *arguments, "--quiet"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def git(*arguments: str, fails: bool = False) -> str | None:
    """Return the output of a git command. If it fails, return None if `fails`, or raise an error."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root(), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ReproduceError("Git is not installed, but commits can only be restored with git.") from error
    if done.returncode and not fails:
        raise ReproduceError(f"`git {arguments[-2]}` failed: {done.stderr.strip()}")
    return None if done.returncode else done.stdout.strip()
