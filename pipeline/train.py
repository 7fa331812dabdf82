"""Stage `train`: a convolutional network on the processed digits, into models/candidate."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from digits.model import CLASSES, Manifest
from pipeline import calibrate, plots, tracking
from pipeline.dataset import Digits, data_sha256
from pipeline.parent import end_with_parent
from pipeline.project import CANDIDATE, PROCESSED, REPORTS
from pipeline.quiet import quiet_stderr
from pipeline.stage import check_names, run_stage

if TYPE_CHECKING:
    from pipeline.training import Trained

KERAS_FILE = "digits.keras"
CURVES = "training.csv"


def stage(**params: Any) -> None:
    """The whole stage: see `pipeline.training.train` for the parameters."""
    end_with_parent()
    print("train: loading TensorFlow", flush=True)
    with quiet_stderr():
        from pipeline.training import train

    digits, validation = (Digits.load(PROCESSED, split) for split in ("train", "validation"))
    check_names("train", partial(train, digits, validation), params)
    print(f"train: {digits.total} digits, {validation.total} for validation", flush=True)
    with tracking.training_run(params) as run_id:
        tracking.log_data({"train": digits, "validation": validation})
        trained = train(digits, validation, **params, log=tracking.log_epoch)
        manifest = replace(manifest_of(trained, validation, params["seed"]), run_id=run_id)
        write_candidate(trained, validation, manifest)
    accuracy = f"validation accuracy {manifest.metrics['validation_accuracy']:.2%}"
    print(f"train: best epoch {trained.best_epoch}, {accuracy}, {trained.seconds:.0f} s")


def manifest_of(trained: Trained, validation: Digits, seed: int) -> Manifest:
    """What the candidate says of itself, its numbers calibrated on validation."""
    images, labels = validation
    logits = trained.model.predict(images[..., None].astype(np.float32), batch_size=500, verbose=0)
    real = logits[:, :CLASSES]
    metrics = {
        "validation_accuracy": float((real.argmax(axis=1) == labels).mean()),
        "parameters": trained.model.count_params(),
        "train_seconds": round(trained.seconds, 1),
        "epochs": len(trained.history["loss"]),
        "best_epoch": trained.best_epoch,
        "seed": seed,
    }
    return Manifest("", "", "", metrics=metrics, temperature=calibrate.temperature(real, labels))


def write_candidate(trained: Trained, validation: Digits, manifest: Manifest) -> None:
    """The model folder of the candidate, its Keras file, and the curves of its training."""
    from pipeline.folder import write_folder

    CANDIDATE.mkdir(parents=True, exist_ok=True)
    trained.model.save(CANDIDATE / KERAS_FILE)
    commit = tracking.git_tags().get("git_commit", "")
    complete = replace(manifest, data_sha256=data_sha256(PROCESSED), git_commit=commit)
    write_folder(trained.model, CANDIDATE, validation.images, complete)
    epochs = range(1, len(trained.history["loss"]) + 1)
    plots.table(REPORTS / CURVES, {"epoch": epochs, **trained.history})


if __name__ == "__main__":
    sys.exit(run_stage("train", stage))
