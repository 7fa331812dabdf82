"""A commit in a folder of its own (a worktree of git's), and the stages run there."""

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
GRACE = 25.0  # seconds that a stage has for its own end
ELSEWHERE = ("MLFLOW_", "DVC_")  # how variables begin that would lead a stage out of its folder
PLAIN = ("-c", "core.hooksPath=/dev/null")  # a person's hooks are for their own checkouts


def resolve(commit: str) -> str:
    """The whole hash of a commit; raises `ReproduceError` where there is no git, or not this commit."""
    if git("rev-parse", "--show-toplevel", fails=True) is None:
        raise ReproduceError("This is no git checkout: the code of a run cannot be brought back without git.")
    found = git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", fails=True)
    if found is None:
        raise ReproduceError(
            f"Commit {commit[:12]} is not in this repository: `git fetch` it from whoever made the run."
        )
    return found


@contextmanager
def worktree(commit: str, name: str, *, keep: bool) -> Iterator[Path]:
    """A folder with that commit, which is removed in the end unless it is to be kept; `name` is its name.

    What a process that was killed left there is removed first. Raises `ReproduceError` where git cannot.
    """
    folder = root() / PLACE / name
    with locked(folder.with_name(f".{name}.lock"), f"reproduce: waits for another one of {name}"):
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
    """Run a stage of that commit there, with more `settings` in its environment.

    Raises `ReproduceError` where it fails; an interruption ends the stage too, and waits for its end.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}
    environment |= {
        "MLFLOW_TRACKING_URI": "",  # a store of its own, whatever .env says
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
        raise ReproduceError(f"The stage {stage} failed at that commit, for the reason above.")


def _end(process: psutil.Popen) -> None:
    """End a process and all that it started: they would write into a folder that is being removed."""
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
    """The setting that lets `fetch` take this checkout's data/raw; none where it asks for other files."""
    if os.environ.get("MNIST_DIR"):
        return {}
    for name, sha256 in hashes.items():
        path = root() / RAW / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            return {}
    return {"MNIST_DIR": str(root() / RAW)}


def bring_data(folder: Path) -> None:
    """Let DVC bring the accepted feedback that the run learnt, from this checkout's cache or its remote.

    Raises `ReproduceError` where neither has it.
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
        raise ReproduceError(f"What {pointer} names is neither in DVC's cache nor in its remote any more.")


def _dvc(folder: Path, *arguments: str) -> int:
    command = [sys.executable, "-m", "dvc", *arguments, "--quiet"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def git(*arguments: str, fails: bool = False) -> str | None:
    """What a command of git prints; where it fails None if it may, else `ReproduceError` with its reason."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root(), capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ReproduceError("Git is not installed: without it no commit can be brought back.") from error
    if done.returncode and not fails:
        raise ReproduceError(f"`git {arguments[-2]}` says: {done.stderr.strip()}")
    return None if done.returncode else done.stdout.strip()
