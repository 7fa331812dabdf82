"""Trains every profile with three seeds (`best` with one) beside the usual recipe: `make bench-training`.

Needs data/processed (`dvc repro preprocess`). A row is written as soon as it is measured, and what is
written is not measured again: after Ctrl-C the same command goes on. The ratio of times is taken to the
`classic` runs of the same seed: a round begins and ends with one, for a machine's pace changes meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path("benchmarks/results/training.jsonl")
PICTURE = Path("docs/images/training-time.png")
SEEDS = {"classic": 3, "quick": 3, "default": 3, "best": 1}
REFERENCE = "classic"

Row = dict[str, Any]


def measure(profile: str, seed: int) -> Row:
    """Train one network in this process and look at the test set once."""
    import numpy as np

    from digits.network.contract import CLASSES
    from digits.network.model import rejection_scores
    from pipeline.evaluation.metrics import rejection_figures
    from pipeline.mnist.dataset import Digits, load_drawn
    from pipeline.profile import load as settings_of
    from pipeline.project.paths import PROCESSED
    from pipeline.train import logits_of
    from pipeline.training.data import training_data
    from pipeline.training.loop import train
    from pipeline.tuning.space import NOT_TRAINING

    settings = settings_of(profile)
    digits, validation, own = training_data(PROCESSED, settings["drawn"], settings["drawn_last"])
    chosen = {name: value for name, value in settings.items() if name not in NOT_TRAINING}
    turns = settings["turns"]
    cpu = sum(os.times()[:2])
    trained = train(digits, validation, own=own, **{**chosen, "seed": seed})
    cpu = sum(os.times()[:2]) - cpu
    row = {
        "profile": profile,
        "seed": seed,
        "seconds": round(trained.seconds, 1),
        "cpu_seconds": round(cpu, 1),
    }
    test, forms, others = (
        Digits.load(PROCESSED, "test"),
        load_drawn(PROCESSED, "test", "prototypes"),
        load_drawn(PROCESSED, "test", "negatives"),
    )
    logits = logits_of(trained.model, test, turns)
    row["test_accuracy"] = float((logits[:, :CLASSES].argmax(axis=1) == test.labels).mean())
    told = logits_of(trained.model, forms, turns)[:, :CLASSES].argmax(axis=1)
    row["prototype_accuracy"] = float((told == forms.labels).mean())
    marks = rejection_scores(logits_of(trained.model, others, turns))
    row["reject_auroc"] = rejection_figures(rejection_scores(logits), marks, float(np.inf))["reject_auroc"]
    return row | {"parameters": trained.model.count_params(), "load": round(os.getloadavg()[0], 1)}


def rows() -> list[Row]:
    """What was measured so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def measure_all(profiles: list[str]) -> None:
    """Every row that is missing, each in a process of its own."""
    for seed in range(1, 1 + max(SEEDS.values())):
        known = [row["profile"] for row in rows() if row["seed"] == seed]
        for profile in one_round(profiles, seed):
            if profile in known:
                known.remove(profile)
                continue
            print(f"{profile}, seed {seed}", flush=True)
            command = [sys.executable, __file__, "--row", profile, str(seed)]
            subprocess.run(command, cwd=ROOT, check=True)


def one_round(profiles: list[str], seed: int) -> list[str]:
    """The trainings with one seed in their order: the reference comes first, and again at the end."""
    others = [name for name in profiles if name != REFERENCE and seed <= SEEDS[name]]
    return [REFERENCE, *others, REFERENCE] if others else []


def by_profile(measured: list[Row]) -> dict[str, list[tuple[float, float]]]:
    """Of every training: its time as a multiple of the reference's with the same seed, and its accuracy."""
    beside: dict[int, list[float]] = {}
    for row in measured:
        if row["profile"] == REFERENCE:
            beside.setdefault(row["seed"], []).append(row["seconds"])
    found: dict[str, list[tuple[float, float]]] = {}
    for row in measured:
        if row["seed"] in beside:
            point = (row["seconds"] / statistics.mean(beside[row["seed"]]), row["test_accuracy"])
            found.setdefault(row["profile"], []).append(point)
    return found


def table(measured: list[Row]) -> str:
    """A line a profile: means over seeds, with the lowest and the highest accuracy."""
    text = ["| profile | trainings | test accuracy | lowest, highest | time | against classic | parameters |"]
    text.append("|---|---|---|---|---|---|---|")
    for profile, points in by_profile(measured).items():
        own = [row for row in measured if row["profile"] == profile]
        ratios, right = zip(*points, strict=True)
        text.append(
            f"| {profile} | {len(points)} "
            f"| {statistics.mean(right):.2%} | {min(right):.2%}, {max(right):.2%} "
            f"| {statistics.mean(row['seconds'] for row in own):.0f} s "
            f"| {statistics.mean(ratios):.2f} x | {own[0]['parameters']:,} |"
        )
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("profiles", nargs="*", default=list(SEEDS), help="all of them if none is named")
    parser.add_argument(
        "--row", nargs=2, metavar=("PROFILE", "SEED"), help="measure one row, in this process"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.row:
        row = measure(options.row[0], int(options.row[1]))
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return 0
    measure_all(options.profiles)
    from pipeline.evaluation.plots import accuracy_by_time

    measured = rows()
    print(table(measured))
    accuracy_by_time(PICTURE, by_profile(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
