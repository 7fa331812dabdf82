"""Run the pipeline, and see that the champion is served: `make repro`, or `python -m pipeline.repro`.

It is `dvc repro`, and then what `dvc repro` skips where nothing has to run: the champion's files are written
anew from the registry, and a model that came from elsewhere (`dvc pull`) is evaluated and registered.
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
from pipeline.project.paths import ACCEPTED, CANDIDATE, champion, root
from pipeline.registry import runs
from pipeline.registry.damage import in_a_sentence
from pipeline.registry.promotion import sync
from pipeline.registry.versions import CANDIDATE_FILES, artifacts_of, version_of

LOCK = Path("dvc.lock")
RWLOCK = Path(".dvc/tmp/rwlock")
WRITING = 0.5  # seconds: DVC takes far less to write that
LITTLE = 20 * 2**20  # bytes: with less DVC may fail, and does not say of what


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.repro", description=__doc__).parse_args()
    if LOCK.exists() and "\n<<<<<<< " in LOCK.read_text(encoding="utf-8"):
        print(f"{LOCK} has conflict markers: `make update` takes the project's version.", file=sys.stderr)
        return 1
    try:
        with in_a_sentence():
            return repro()
    except (ModelError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1


def repro() -> int:
    """Run what has changed and write the champion's files; gives the exit code."""
    ACCEPTED.parent.mkdir(parents=True, exist_ok=True)  # as git has it, also where all data was deleted
    (ACCEPTED.parent / ".gitkeep").touch()
    remove_torn_lock(RWLOCK)
    if status := dvc("repro"):
        return status
    if not champion_is_written() and not is_registered():
        print("repro: this model was trained elsewhere: it is evaluated and registered here", flush=True)
        if status := dvc("repro", "--force", "--single-item", "evaluate"):
            return status
    served = sync(runs.connect())
    if served is None:
        print("repro: the default model stays in service: `make promote VERSION=n` serves another")
    else:
        print(f"champion: version {served.version} ({served.sha256[:12]}) in {champion()}")
    return 0


def remove_torn_lock(path: Path) -> None:
    """Remove DVC's note of who reads and writes what, where a kill in the middle of a write has left half.

    DVC writes it in place, and would refuse it for ever. Half of one that is just being written is whole when
    it is looked at again.
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
    print(f"repro: {path} was torn by a kill, and is removed: DVC makes it anew", flush=True)


def champion_is_written() -> bool:
    """Write the champion's files; False where there is none, or its artifacts are lost."""
    try:
        return sync(runs.connect()) is not None
    except ModelError as error:
        print(f"repro: the champion is lost ({error})", flush=True)
        return False


def is_registered() -> bool:
    """Whether `evaluate` has judged the candidate here: its run has a version whose files are still there."""
    client = runs.connect()
    version = version_of(client, Manifest.load(CANDIDATE).run_id)
    if version is None:
        return False
    with artifacts_of(client, version) as artifacts:
        return (artifacts / CANDIDATE_FILES).is_dir()


def dvc(*arguments: str) -> int:
    """Run a command of DVC with this Python first on the PATH; gives its exit code."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "dvc", *arguments]
    status = subprocess.run(command, env=os.environ | {"PATH": path}, check=False).returncode
    if status and (free := shutil.disk_usage(root()).free) < LITTLE:
        print(
            f"repro: {root()} has {free // 2**20} MiB left on its disk: make room, and run the same command"
            " again. It goes on where it stood.",
            file=sys.stderr,
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
