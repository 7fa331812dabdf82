"""Train with accepted feedback: `make learn`.

The command copies accepted pictures to data/accepted/pictures, which DVC tracks and only this command
changes. It then runs the pipeline including the promotion gate, and prints a summary. If there is nothing
new, it does not train. After an interruption, the same command resumes.
"""

# See docs/decisions/learning.md.
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from digits.errors import ModelError
from digits.network.model import Manifest
from digits.reader import Reader, champion_or_default
from feedback.errors import FeedbackError
from feedback.record import Kept
from feedback.store import Store
from pipeline.learning import summary
from pipeline.learning.index import INDEX, AcceptedPicture, read_index
from pipeline.learning.selection import Selection, select, write
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import PipelineError
from pipeline.project.files import locked, write_text
from pipeline.project.params import read_params
from pipeline.project.paths import ACCEPTED, ACCEPTED_POINTER, CANDIDATE, PROCESSED, REPORTS, root
from pipeline.project.runner import check_names, disk_trouble
from pipeline.registry import runs, versions

JUDGES = ("validation", "test")  # MNIST splits whose images may not be learnt
BEFORE = Path("models/learning.json")  # the previous index, until the summary is printed


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.learn", description=__doc__).parse_args()
    folder = root() / (os.environ.get("FEEDBACK_DIR") or "data/feedback")
    try:
        with locked(Path("models/.learning.lock"), "learn: waiting for another `make learn` to finish"):
            return learn(folder)
    except (ModelError, PipelineError, FeedbackError) as error:
        print(f"learn: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (message := disk_trouble(error)) is None:
            raise
        print(f"learn: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("learn: stopped; `make learn` resumes", file=sys.stderr)
        return 130


def learn(feedback: Path) -> int:
    """Select new feedback, and train and evaluate a model if there is any; returns the exit code."""
    if ACCEPTED.exists() < ACCEPTED_POINTER.exists():
        raise PipelineError(
            f"{ACCEPTED} is missing. `dvc checkout {ACCEPTED_POINTER}` restores it from DVC's cache, and"
            f" `dvc pull {ACCEPTED_POINTER}` from its remote."
        )
    present: Mapping[str, AcceptedPicture] = read_index(ACCEPTED / INDEX)
    kept = Store(feedback).kept()
    unknown = [one for one in kept if one.id not in present and one.state == "accepted"]
    if unknown or was_revised(kept, present) or BEFORE.exists():
        present = take(feedback, kept, present)
    if not BEFORE.exists():
        waiting = sum(one.state == "new" for one in kept)
        hint = f"; `make feedback` has {waiting} new to review" if waiting else ""
        print(f"learn: no new feedback was accepted, so there is nothing to train{hint}")
        return 0
    if status := command("-m", "pipeline.repro"):
        print("learn: the pipeline stopped; `make learn` resumes", file=sys.stderr)
        return status
    print(f"\n{summary.changes(read_index(BEFORE), present)} {result()}")
    BEFORE.unlink()
    return 0


def was_revised(kept: list[Kept], present: Mapping[str, AcceptedPicture]) -> bool:
    """Whether a person dropped or relabelled a picture of the last selection."""
    return any(
        one.state == "dropped" or (one.state == "accepted" and one.label != present[one.id].label)
        for one in kept
        if one.id in present
    )


def take(
    feedback: Path, kept: list[Kept], present: Mapping[str, AcceptedPicture]
) -> Mapping[str, AcceptedPicture]:
    """Select accepted feedback, print what is left out and why, and return the selected pictures."""
    there = all((PROCESSED / f"{split}.npz").exists() for split in JUDGES)
    if not there and command("-m", "dvc", "repro", "--quiet", "preprocess"):
        raise PipelineError("MNIST's digits, with which the pictures are compared, are not available.")
    files = {id: ACCEPTED / taken.file for id, taken in present.items()}
    files = {one.id: one.picture(feedback) for one in kept} | files
    judges = np.concatenate([Digits.load(PROCESSED, split).images for split in JUDGES])
    decide = partial(select, kept, present, files, Reader.load(champion_or_default()), judges)
    params = read_params("learn")
    check_names("learn", decide, params)
    done = decide(**params)
    names = {one.id: one.file for one in kept}
    for id, reason in done.left_out.items():
        print(f"learn: {names.get(id, id)} is left out, because {reason}")
    if done.pictures != present or BEFORE.exists():
        track(done, files)
    return done.pictures


def track(done: Selection, files: Mapping[str, Path]) -> None:
    """Write the pictures and track them with DVC; the pointer is staged in git, as `dvc exp run` requires."""
    if not BEFORE.exists():
        write_text(BEFORE, (ACCEPTED / INDEX).read_text(encoding="utf-8") if ACCEPTED.exists() else "[]")
    write(ACCEPTED, done, files)
    if not done.pictures:
        ACCEPTED_POINTER.unlink(missing_ok=True)
    elif command("-m", "dvc", "add", "--quiet", str(ACCEPTED)):
        raise PipelineError(f"DVC cannot track {ACCEPTED}. The reason is above.")
    if runs.git_tags():  # a checkout of this project
        subprocess.run(["git", "add", "--all", "--", str(ACCEPTED_POINTER)], capture_output=True, check=False)


def result() -> str:
    """Return sentences on the gate's decision about the candidate."""
    client = runs.connect()
    own = versions.version_of(client, Manifest.load(CANDIDATE).run_id)
    present = versions.champion_version(client)
    decision = json.loads((REPORTS / runs.DECISION).read_text(encoding="utf-8"))
    return summary.outcome(
        decision, "" if own is None else str(own.version), "" if present is None else str(present.version)
    )


def command(*arguments: str) -> int:
    """Run this Python with these arguments, and first on the PATH; returns the exit code."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, *arguments], env=os.environ | {"PATH": path}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
