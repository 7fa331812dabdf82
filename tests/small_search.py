"""A project whose searches take seconds, and what they leave."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import optuna
from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline.mnist.accepted import Accepted
from pipeline.mnist.dataset import DRAWN_SETS, Digits, drawn_name
from pipeline.project.paths import PROCESSED

ROOT = Path(__file__).resolve().parents[1]

PARAMS = """
train:
  seed: 1
  resume: true
  epochs: 9
  batch: 16
  bfloat16: false
  drawn: 1.0
  drawn_last: 1.0
  accepted: 2
  false_rejects: 0.003
  turns: []
  label_smoothing: 0.0
  network: {blocks: [[2]], padding: [same], kernels: [3], halving: [pool]}
  optimizer: {name: adamw, learning_rate: 0.01, schedule: one_cycle, warmup: 0.2, weight_decay: 0.01}
  augment: {rotation: 5.0, shift: 0.0}
search:
  trials: 1
  epochs: 2
  share: 0.5
  prune_after_trials: 4
  prune_after_epochs: 1
  space:
    label_smoothing: [0.0, 0.1]
    optimizer: {learning_rate: [0.001, 0.1, log]}
    augment: {rotation: [0.0, 10.0]}
"""


def write_small_search(folder: Path) -> None:
    """Parameters and small data, no test images at all."""
    (folder / "params.yaml").write_text(PARAMS)
    processed = folder / PROCESSED
    random = np.random.default_rng(1)
    for split, count in (("train", 64), ("validation", 22)):
        for kind in ("", *DRAWN_SETS):
            labels = np.full(count, 10) if kind == "negatives" else np.arange(count) % 10
            images = random.integers(0, 255, (count, 28, 28), np.uint8)
            Digits(images, labels.astype(np.uint8)).save(
                processed, drawn_name(split, kind) if kind else split
            )
    Accepted.none().save(processed, "train")
    (processed / "summary.json").write_text('{"sha256": "abc"}')
    kept = shutil.ignore_patterns("found.yaml")
    shutil.copytree(ROOT / "profiles", folder / "profiles", ignore=kept)


def search_and_trials(client: MlflowClient) -> tuple[Run, list[Run]]:
    """The search's run, and those of its trials in their order."""
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    (parent,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(trials) == len(found) - 1
    return parent, trials


def the_study() -> optuna.Study:
    """The only study there is."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{Path('mlruns/search.db').resolve()}")
    (summary,) = optuna.get_all_study_summaries(storage)
    return optuna.load_study(study_name=summary.study_name, storage=storage)
