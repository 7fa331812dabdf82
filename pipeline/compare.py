"""Print the last runs as a table, newest first: `make compare`, or `python -m pipeline.compare -n 20`.

The table shows what changed since the previous run, the main metrics and the version; * marks the champion.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from rich.console import Console
from rich.table import Table

from pipeline.project.paths import NAME
from pipeline.registry import runs, versions
from pipeline.registry.access import command
from pipeline.registry.metric_names import metric_name
from pipeline.registry.run_names import differences, listed

FIGURES = {
    "score": "score/primary",
    "test": "test/accuracy",
    "canvases": "handwriting/canvases",
    "lines": "handwriting/lines",
    "papers": "handwriting/papers",
}
LEGEND = "score: primary metric on validation data, which decides. Others: on test digits. *: the champion"
MISSING = "-"
WIDTH = 150  # columns if the output is not a terminal


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.compare", description=__doc__)
    parser.add_argument("-n", type=_count, default=10, metavar="N", help="number of runs (default: 10)")
    wanted = parser.parse_args().n
    return command(lambda: run(wanted))


def run(wanted: int) -> None:
    """Print the last runs, at most `wanted` of them."""
    client = runs.connect()
    found = last_runs(client, wanted + 1)
    if not found:
        print("There are no runs yet. `make repro` trains a model.")
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table(client, found, wanted))
    console.print(LEGEND)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def last_runs(client: MlflowClient, count: int) -> list[Run]:
    """Return the newest trainings, newest first, without searches and their trials."""
    experiment = client.get_experiment_by_name(NAME)
    found: list[Run] = []
    token = None
    while experiment and len(found) < count:
        page = client.search_runs(
            [experiment.experiment_id], order_by=["attributes.start_time DESC"], page_token=token
        )
        found += [run for run in page if _is_training(run)]
        token = page.token
        if not token:
            break
    return found[:count]


def _is_training(run: Run) -> bool:
    return MLFLOW_PARENT_RUN_ID not in run.data.tags and not any(
        name.startswith("space.") for name in run.data.params
    )


def table(client: MlflowClient, found: Sequence[Run], shown: int) -> Table:
    """Return a table of the first `shown` runs; a further run is only used to compare the last row."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "changed"):
        made.add_column(name, overflow="fold")
    for name in ("began", "took", *FIGURES, "version"):
        made.add_column(name, justify="right", no_wrap=True)
    champion = versions.champion_version(client)
    of_run = {one.run_id: str(one.version) for one in client.search_model_versions(f"name = '{NAME}'")}
    for run, before in list(zip(found, [*found[1:], None], strict=True))[:shown]:
        version = of_run.get(run.info.run_id, MISSING)
        star = "*" if champion and str(champion.version) == version else " "
        row = [run.info.run_name or "", changes(run, before), _began(run), _took(run), *figures(run)]
        made.add_row(*row, version + star)
    return made


def changes(run: Run, before: Run | None) -> str:
    """Return the differences of a run from the previous one: data and parameters, or else code."""
    if before is None:
        return ""
    parts = differences(run.data.params, before.data.params)
    if _data(run) != _data(before):
        parts.insert(0, "different data")
    if not parts and run.data.tags.get("git_commit") != before.data.tags.get("git_commit"):
        return "different code"
    return listed(parts) or "nothing"


def _data(run: Run) -> str:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    return next((str(one.dataset.digest) for one in inputs if one.dataset.name == "train"), "")


def figures(run: Run) -> list[str]:
    """Return the main metrics in percent; names of older runs are translated."""
    told = {metric_name(name): value for name, value in run.data.metrics.items()}
    return [f"{told[name]:.2%}" if name in told else MISSING for name in FIGURES.values()]


def _began(run: Run) -> str:
    return datetime.fromtimestamp(run.info.start_time / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def _took(run: Run) -> str:
    if run.info.status != "FINISHED" or run.info.end_time is None:
        return str(run.info.status).lower()
    seconds = (run.info.end_time - run.info.start_time) / 1000
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    sys.exit(main())
