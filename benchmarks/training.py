"""Trains every profile with three seeds (`best` with one) and compares with `classic`: `make bench-training`.

Needs data/processed (`dvc repro preprocess`). A row is written as soon as it is measured, and finished rows
are skipped, so the command can be interrupted and resumed. Times are relative to the `classic` runs with the
same seed. A round begins and ends with such a run, because the machine's speed varies. The time depends on
whether the processor multiplies in bfloat16; `--float32` trains as if it did not. The table says which of the
two was measured, and on which processor.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path("benchmarks/results")
PICTURE = Path("docs/images/training-time.png")
SEEDS = {"classic": 3, "quick": 3, "default": 3, "best": 1}
REFERENCE = "classic"

Row = dict[str, Any]


def measure(profile: str, seed: int, float32: bool) -> Row:
    """Train one network in this process and evaluate it on the test set once."""
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
    from pipeline.training.precision import processor_has_bfloat16
    from pipeline.tuning.space import NOT_TRAINING

    settings = settings_of(profile)
    digits, validation, own = training_data(
        PROCESSED, settings["drawn"], settings["drawn_last"], settings["accepted"]
    )
    chosen = {name: value for name, value in settings.items() if name not in NOT_TRAINING}
    turns = settings["turns"]
    in_bfloat16 = processor_has_bfloat16() and not float32
    cpu = sum(os.times()[:2])
    how = {**chosen, "seed": seed, "bfloat16": chosen["bfloat16"] and in_bfloat16}
    trained = train(digits, validation, own=own, **how)
    cpu = sum(os.times()[:2]) - cpu
    row = {
        "profile": profile,
        "seed": seed,
        "processor": f"{processor()}, {'bfloat16' if in_bfloat16 else 'float32'}",
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


def processor() -> str:
    """The processor's name, if the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def results(float32: bool) -> Path:
    """The file with the finished rows, in float32 or in bfloat16."""
    return RESULTS / ("training-float32.jsonl" if float32 else "training.jsonl")


def rows(float32: bool) -> list[Row]:
    """The finished rows."""
    path = results(float32)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measure_all(profiles: list[str], float32: bool) -> None:
    """Measure all missing rows, each in a process of its own."""
    how = ["--float32"] if float32 else []
    for seed in range(1, 1 + max(SEEDS.values())):
        known = [row["profile"] for row in rows(float32) if row["seed"] == seed]
        for profile in one_round(profiles, seed):
            if profile in known:
                known.remove(profile)
                continue
            print(f"{profile}, seed {seed}", flush=True)
            command = [sys.executable, __file__, *how, "--row", profile, str(seed)]
            subprocess.run(command, cwd=ROOT, check=True)


def one_round(profiles: list[str], seed: int) -> list[str]:
    """The trainings with one seed in order; the reference comes first and last."""
    others = [name for name in profiles if name != REFERENCE and seed <= SEEDS[name]]
    return [REFERENCE, *others, REFERENCE] if others else []


def by_profile(measured: list[Row]) -> dict[str, list[tuple[float, float]]]:
    """For every training, its time relative to the reference with the same seed, and its accuracy."""
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
    """A line per profile: means over seeds, with the lowest and the highest accuracy."""
    text = [f"On {' and '.join(sorted({row['processor'] for row in measured}))}:", ""]
    text += [
        "| profile | trainings | test accuracy | lowest, highest | time | against classic | parameters |"
    ]
    text += ["|---|---|---|---|---|---|---|"]
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
    parser.add_argument("profiles", nargs="*", default=list(SEEDS), help="default: all")
    parser.add_argument(
        "--row", nargs=2, metavar=("PROFILE", "SEED"), help="measure one row, in this process"
    )
    parser.add_argument(
        "--float32", action="store_true", help="train as on a processor that does not multiply in bfloat16"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.row:
        row = measure(options.row[0], int(options.row[1]), options.float32)
        RESULTS.mkdir(parents=True, exist_ok=True)
        with results(options.float32).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return 0
    measure_all(options.profiles, options.float32)
    from pipeline.evaluation.plots import accuracy_by_time

    measured = rows(options.float32)
    print(table(measured))
    accuracy_by_time(PICTURE, by_profile(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
