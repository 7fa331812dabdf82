"""Make a run again, at its commit, with its parameters and data, and compare: `make reproduce RUN=3f2a`.

RUN is a run's id, the beginning of one, or its name. The stages run in a worktree of git's under
build/reproduce, with an MLflow store of their own: registry, champion, reports and dvc.lock stay as they are.
It takes as long as the run did. Exit status: 0 all the same, 1 something differs, 2 it cannot be done.
"""

# Why it is so: docs/decisions/reproduce.md
from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from rich.console import Console
from ruamel.yaml import YAML

from digits.errors import ModelError
from digits.network.model import Manifest
from pipeline.project.errors import PipelineError, ReproduceError
from pipeline.project.paths import ACCEPTED_POINTER, CANDIDATE, PARAMS
from pipeline.project.runner import end_with_parent
from pipeline.registry import runs
from pipeline.registry.access import open_registry
from pipeline.registry.damage import in_a_sentence
from pipeline.reproduction import comparison, worktree
from pipeline.reproduction.recorded import SHORT, Recorded, artifact, find

SAME, DIFFERS, IMPOSSIBLE, STOPPED = 0, 1, 2, 130
WIDTH = 110  # columns where the output is no terminal


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.reproduce",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="a run's id, the beginning of one, or its name")
    parser.add_argument("--keep", action="store_true", help="leave the worktree, with its model and reports")
    options = parser.parse_args()
    end_with_parent()
    try:
        with in_a_sentence():
            return reproduce(options.run, keep=options.keep)
    except (ModelError, PipelineError) as error:
        print(f"reproduce: {error}", file=sys.stderr)
        return IMPOSSIBLE
    except KeyboardInterrupt:
        print("reproduce: stopped", file=sys.stderr)
        return STOPPED


def reproduce(wanted: str, *, keep: bool) -> int:
    """The whole of it; gives the exit status. Raises `ReproduceError` where it cannot be done."""
    client = open_registry()
    recorded = Recorded.of(client, find(client, wanted))
    commit = worktree.resolve(recorded.commit or "HEAD")
    print(f"reproduce: run {recorded.run_id[:SHORT]} ({recorded.name}), commit {commit[:12]}")
    for line in notes(recorded, commit):
        print(f"reproduce: {line}")
    sys.stdout.flush()
    with worktree.worktree(commit, recorded.run_id[:SHORT], keep=keep) as folder:
        again = run_stages(client, recorded, folder)
    report(recorded, again)
    if keep:
        print(f"The worktree is {folder}; `git worktree remove --force {folder}` removes it.")
    return SAME if comparison.same(recorded, again) else DIFFERS


def notes(recorded: Recorded, commit: str) -> list[str]:
    """What has to be known before the stages run: where code or packages may be others."""
    found = []
    if not recorded.commit:
        found.append(
            "the run has no commit on record, so its code cannot be told: that of the present commit runs"
        )
    elif recorded.uncommitted:
        changed = recorded.changed or "which files is not on record"
        found.append(
            f"the run's code had changes that were not committed ({changed}), which cannot be reproduced: the"
            " commit before them runs, with the run's own parameters"
        )
    locks = worktree.git("diff", "--name-only", commit, "--", "requirements", fails=True)
    if locks:
        found.append(
            f"that commit locks other packages ({', '.join(locks.split())}): it runs with those of this .venv"
        )
    return found


def run_stages(client: MlflowClient, recorded: Recorded, folder: Path) -> Recorded:
    """Run all four stages there with the run's inputs; gives what they left in the store of the folder."""
    params = restore_inputs(client, recorded, folder)
    worktree.bring_data(folder)
    hashes = params.get("fetch", {}).get("sha256")
    settings = {} if hashes is None else worktree.raw_data(hashes)
    for stage in ("fetch", "preprocess", "train", "evaluate"):
        worktree.run_stage(stage, folder, settings)
    own = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    run_id = Manifest.load(folder / CANDIDATE).run_id
    return Recorded.of(own, own.get_run(run_id))


def restore_inputs(client: MlflowClient, recorded: Recorded, folder: Path) -> Mapping[str, Any]:
    """Write the run's params.yaml, which is given back, and the pointer to what it learnt into the worktree.

    What the run did not record is as it was committed.
    """
    path = folder / PARAMS
    for told in client.list_artifacts(recorded.run_id, runs.INPUTS):
        with artifact(client, recorded.run_id, told.path) as found:
            if found is not None:
                place = path if found.name == PARAMS.name else folder / ACCEPTED_POINTER
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(found.read_bytes())
    yaml = YAML(typ="safe")
    try:
        params: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"))
        params["train"] = recorded.training(params["train"])
    except (OSError, KeyError, TypeError) as error:
        raise ReproduceError(f"That commit has no {PARAMS} with a section train: it is too old.") from error
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    return params


def report(recorded: Recorded, again: Recorded) -> None:
    """Print each figure as it was and as it is now, the verdict, and where they differ, why."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(comparison.table(recorded, again))
    console.print(comparison.verdict(recorded, again))
    if not comparison.same(recorded, again):
        for reason in comparison.reasons(recorded, again):
            console.print(f"Why: {reason}.")


if __name__ == "__main__":
    sys.exit(main())
