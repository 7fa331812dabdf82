"""Reproduce a run at its commit with its parameters and data, and compare: `make reproduce RUN=3f2a`.

RUN is a run's id, a prefix of its id, or its name. The stages run in a git worktree in build/reproduce with
their own MLflow store, so registry, champion, reports and dvc.lock do not change. It takes as long as the run
did. Exit status: 0 if all results are the same, 1 if some differ, 2 if the run cannot be reproduced.
"""

# See docs/decisions/reproduce.md.
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
from pipeline.registry.damage import as_registry_error
from pipeline.reproduction import comparison, worktree
from pipeline.reproduction.recorded import SHORT, Recorded, artifact, find

SAME, DIFFERS, IMPOSSIBLE, STOPPED = 0, 1, 2, 130
WIDTH = 110  # columns if the output is not a terminal


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.reproduce",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="a run's id, a prefix of its id, or its name")
    parser.add_argument("--keep", action="store_true", help="keep the worktree with its model and reports")
    options = parser.parse_args()
    end_with_parent()
    try:
        with as_registry_error():
            return reproduce(options.run, keep=options.keep)
    except (ModelError, PipelineError) as error:
        print(f"reproduce: {error}", file=sys.stderr)
        return IMPOSSIBLE
    except KeyboardInterrupt:
        print("reproduce: stopped", file=sys.stderr)
        return STOPPED


def reproduce(wanted: str, *, keep: bool) -> int:
    """Reproduce and compare a run; returns the exit status. Raises `ReproduceError` if this fails."""
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
        print(f"The worktree is {folder}. To remove it, run `git worktree remove --force {folder}`.")
    return SAME if comparison.same(recorded, again) else DIFFERS


def notes(recorded: Recorded, commit: str) -> list[str]:
    """Return warnings about code or packages that may differ from those of the run."""
    found = []
    if not recorded.commit:
        found.append("the run has no commit on record, so its code is unknown; the current commit is used")
    elif recorded.uncommitted:
        changed = recorded.changed or "the files are not on record"
        found.append(
            f"the run's code had uncommitted changes ({changed}), which cannot be reproduced; the commit"
            " before them is used with the run's own parameters"
        )
    locks = worktree.git("diff", "--name-only", commit, "--", "requirements", fails=True)
    if locks:
        found.append(
            f"that commit has different locked packages ({', '.join(locks.split())}); this .venv is used"
        )
    return found


def run_stages(client: MlflowClient, recorded: Recorded, folder: Path) -> Recorded:
    """Run all four stages in the worktree with the run's inputs; returns the new record."""
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
    """Write the run's params.yaml and feedback pointer to the worktree; returns the parameters.

    Inputs that the run did not record stay as they were committed.
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
        raise ReproduceError(f"That commit is too old: it has no {PARAMS} with a section train.") from error
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    return params


def report(recorded: Recorded, again: Recorded) -> None:
    """Print the metrics of both runs, the result, and the likely reasons for differences."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(comparison.table(recorded, again))
    console.print(comparison.verdict(recorded, again))
    if not comparison.same(recorded, again):
        for reason in comparison.reasons(recorded, again):
            console.print(f"Possible reason: {reason}.")


if __name__ == "__main__":
    sys.exit(main())
