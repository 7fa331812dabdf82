"""Run the pipeline, and make sure that the champion is served: `make repro`, or `python -m pipeline.repro`.

The command runs `dvc repro` and then two steps that `dvc repro` skips if nothing has changed. It restores the
champion's files from the registry, and it evaluates and registers a model from another machine (`dvc pull`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from digits.errors import ModelError
from digits.network.model import Manifest
from pipeline.project.errors import PipelineError
from pipeline.project.files import locked
from pipeline.project.paths import ACCEPTED, CANDIDATE, champion, root
from pipeline.registry import runs
from pipeline.registry.damage import as_registry_error
from pipeline.registry.promotion import sync
from pipeline.registry.versions import CANDIDATE_FILES, artifacts_of, version_of

LOCK = Path("dvc.lock")
RWLOCK = Path(".dvc/tmp/rwlock")
LOCKED = Path("models/.repro.lock")
WRITING = 0.5  # seconds; DVC takes much less to write RWLOCK
LITTLE = 20 * 2**20  # bytes; with less disk space DVC may fail without giving the reason


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.repro", description=__doc__).parse_args()
    if LOCK.exists() and "\n<<<<<<< " in LOCK.read_text(encoding="utf-8"):
        print(f"{LOCK} has conflict markers. `make update` uses the project's version.", file=sys.stderr)
        return 1
    try:
        # DVC's own lock depends on the project's path, which is different in containers.
        with (
            as_registry_error(),
            locked(LOCKED, "repro: waiting for another `make repro`, here or in a container"),
        ):
            return repro()
    except (ModelError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1


def repro() -> int:
    """Run the changed stages and restore the champion's files; returns the exit code."""
    ACCEPTED.parent.mkdir(parents=True, exist_ok=True)  # in git, but data/ may have been deleted
    (ACCEPTED.parent / ".gitkeep").touch()
    remove_torn_lock(RWLOCK)
    if status := dvc("repro"):
        return status
    if not champion_is_written() and not is_registered():
        print("repro: evaluating and registering a model that was trained elsewhere", flush=True)
        if status := dvc("repro", "--force", "--single-item", "evaluate"):
            return status
    served = sync(runs.connect())
    if served is None:
        print("repro: the default model stays in service; `make promote VERSION=n` serves another")
    else:
        print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    return 0


def remove_torn_lock(path: Path) -> None:
    """Remove DVC's file of read and write locks if a kill has left it incomplete.

    DVC writes the file in place, and would always refuse an incomplete file. The file is read twice,
    because another process may be writing it at the moment.
    """
    for wait in (WRITING, 0.0):
        try:
            json.loads(path.read_text(encoding="utf-8"))
            return
        except FileNotFoundError:
            return
        except ValueError:
            time.sleep(wait)
    path.unlink(missing_ok=True)
    print(f"repro: removed {path}, which was damaged by a kill; DVC creates it again", flush=True)


def champion_is_written() -> bool:
    """Restore the champion's files; False if there is no champion, or if its artifacts are lost."""
    try:
        return sync(runs.connect()) is not None
    except ModelError as error:
        print(f"repro: the champion is lost ({error})", flush=True)
        return False


def is_registered() -> bool:
    """Whether `evaluate` has registered the candidate here, and the version's files still exist."""
    client = runs.connect()
    version = version_of(client, Manifest.load(CANDIDATE).run_id)
    if version is None:
        return False
    with artifacts_of(client, version) as artifacts:
        return (artifacts / CANDIDATE_FILES).is_dir()


def dvc(*arguments: str) -> int:
    """Run a DVC command with this Python first on the PATH; returns its exit code."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "dvc", *arguments]
    status = subprocess.run(command, env=os.environ | {"PATH": path}, check=False).returncode
    if status and (free := shutil.disk_usage(root()).free) < LITTLE:
        print(
            f"repro: the disk of {root()} has only {free // 2**20} MiB left. Free some space, and run the"
            " same command again, which resumes.",
            file=sys.stderr,
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
