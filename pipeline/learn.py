"""Learn from the feedback that was accepted: `make learn`.

It takes accepted pictures into data/accepted/pictures, which nothing else changes and which DVC tracks, runs
the pipeline with its gate, and says in a paragraph what came of it. With nothing new it trains nothing. After
an interruption the same command goes on.
"""

# Why it is so: docs/decisions/learning.md
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
from pipeline.learning import told
from pipeline.learning.index import INDEX, Taken, read_index
from pipeline.learning.taking import Taking, taking, write
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import PipelineError
from pipeline.project.files import locked, write_text
from pipeline.project.params import read_params
from pipeline.project.paths import ACCEPTED, ACCEPTED_POINTER, CANDIDATE, PROCESSED, REPORTS, root
from pipeline.project.runner import check_names, disk_trouble
from pipeline.registry import runs, versions

JUDGES = ("validation", "test")  # what no picture that is learnt may be one of
BEFORE = Path("models/learning.json")  # while something is being learnt: the index as it was before


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.learn", description=__doc__).parse_args()
    folder = root() / (os.environ.get("FEEDBACK_DIR") or "data/feedback")
    try:
        with locked(Path("models/.learning.lock"), "learn: another `make learn` is at work: waiting for it"):
            return learn(folder)
    except (ModelError, PipelineError, FeedbackError) as error:
        print(f"learn: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if (told := disk_trouble(error)) is None:
            raise
        print(f"learn: {told}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("learn: stopped; `make learn` goes on", file=sys.stderr)
        return 130


def learn(feedback: Path) -> int:
    """Take what is new in a folder of feedback, and train and judge a model where there is; the exit code."""
    if ACCEPTED.exists() < ACCEPTED_POINTER.exists():
        raise PipelineError(
            f"{ACCEPTED} is missing: `dvc checkout {ACCEPTED_POINTER}` brings it from DVC's cache, and"
            f" `dvc pull {ACCEPTED_POINTER}` from its remote."
        )
    present: Mapping[str, Taken] = read_index(ACCEPTED / INDEX)
    kept = Store(feedback).kept()
    unknown = [one for one in kept if one.id not in present and one.state == "accepted"]
    if unknown or wanted_otherwise(kept, present) or BEFORE.exists():
        present = take(feedback, kept, present)
    if not BEFORE.exists():
        waiting = sum(one.state == "new" for one in kept)
        hint = f"; {waiting} wait for `make feedback`" if waiting else ""
        print(f"learn: nothing new was accepted, so nothing is trained{hint}")
        return 0
    if status := command("-m", "pipeline.repro"):
        print("learn: the pipeline stopped; `make learn` goes on", file=sys.stderr)
        return status
    print(f"\n{told.changes(read_index(BEFORE), present)} {result()}")
    BEFORE.unlink()
    return 0


def wanted_otherwise(kept: list[Kept], present: Mapping[str, Taken]) -> bool:
    """Whether a person dropped or relabelled a picture that was taken."""
    return any(
        one.state == "dropped" or (one.state == "accepted" and one.label != present[one.id].label)
        for one in kept
        if one.id in present
    )


def take(feedback: Path, kept: list[Kept], present: Mapping[str, Taken]) -> Mapping[str, Taken]:
    """Take what is accepted, say what is not taken and why, and give what is there now."""
    there = all((PROCESSED / f"{split}.npz").exists() for split in JUDGES)
    if not there and command("-m", "dvc", "repro", "--quiet", "preprocess"):
        raise PipelineError("MNIST's digits, which the pictures are compared with, are not to be had.")
    files = {id: ACCEPTED / taken.file for id, taken in present.items()}
    files = {one.id: one.picture(feedback) for one in kept} | files
    judges = np.concatenate([Digits.load(PROCESSED, split).images for split in JUDGES])
    decide = partial(taking, kept, present, files, Reader.load(champion_or_default()), judges)
    params = read_params("learn")
    check_names("learn", decide, params)
    done = decide(**params)
    names = {one.id: one.file for one in kept}
    for id, reason in done.left_out.items():
        print(f"learn: {names.get(id, id)} is not learnt: {reason}")
    if done.pictures != present or BEFORE.exists():
        track(done, files)
    return done.pictures


def track(done: Taking, files: Mapping[str, Path]) -> None:
    """Write the pictures and let DVC track them; git is told of the pointer, or experiments would lack it."""
    if not BEFORE.exists():
        write_text(BEFORE, (ACCEPTED / INDEX).read_text(encoding="utf-8") if ACCEPTED.exists() else "[]")
    write(ACCEPTED, done, files)
    if not done.pictures:
        ACCEPTED_POINTER.unlink(missing_ok=True)
    elif command("-m", "dvc", "add", "--quiet", str(ACCEPTED)):
        raise PipelineError(f"DVC does not take {ACCEPTED}, for the reason above.")
    if runs.git_tags():  # a checkout of this project
        subprocess.run(["git", "add", "--all", "--", str(ACCEPTED_POINTER)], capture_output=True, check=False)


def result() -> str:
    """What the gate made of the candidate, as sentences."""
    client = runs.connect()
    own = versions.version_of(client, Manifest.load(CANDIDATE).run_id)
    present = versions.champion_version(client)
    decision = json.loads((REPORTS / runs.DECISION).read_text(encoding="utf-8"))
    return told.outcome(
        decision, "" if own is None else str(own.version), "" if present is None else str(present.version)
    )


def command(*arguments: str) -> int:
    """Run a command of this Python, which comes first on the PATH; gives its exit code."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, *arguments], env=os.environ | {"PATH": path}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
