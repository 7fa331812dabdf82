"""Stage `train`: train a convolutional network on the processed digits and export it to models/candidate."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES
from digits.network.model import Manifest, rejection_scores
from digits.network.test_time_augmentation import averaged
from pipeline.mnist.accepted import Accepted, write_learnt
from pipeline.mnist.dataset import Digits, data_sha256
from pipeline.project.files import write_csv
from pipeline.project.paths import CANDIDATE, CHECKPOINTS, CURVES, PROCESSED, root
from pipeline.project.runner import check_names, end_with_parent, main, quiet_stderr
from pipeline.registry import runs
from pipeline.training import calibration
from pipeline.training.data import REAL, USUAL, digits_by_source, training_data

if TYPE_CHECKING:
    from pipeline.training.loop import Trained

KERAS_FILE = "digits.keras"


def run(
    *,
    resume: bool,
    drawn: float,
    drawn_last: float,
    accepted: int,
    false_rejects: float,
    turns: list[float],
    **params: Any,
) -> None:
    """Run the whole stage. Most parameters are those of `pipeline.training.loop.train`.

    `resume`: resume an interrupted training with the same parameters.
    `drawn`, `drawn_last`: the share of the synthetic digits and marks in each epoch, and in each epoch of the
    last quarter.
    `accepted`: how many times each epoch sees each mark of accepted feedback, with different augmentations.
    `false_rejects`: the share of the validation digits that may be rejected as not a digit. A higher share
    means that fewer other marks are taken for digits.
    `turns`: angles in degrees for test-time augmentation of doubtful digits.
    """
    end_with_parent()
    print("train: loading TensorFlow", flush=True)
    with quiet_stderr():
        from pipeline.training.checkpoint import Checkpoint
        from pipeline.training.loop import train
        from pipeline.training.network import build
        from pipeline.training.optimizers import make_optimizer

    digits, validation, own = training_data(PROCESSED, drawn, drawn_last, accepted)
    training = partial(train, digits, validation, own=own)
    params |= {"drawn": drawn, "drawn_last": drawn_last}
    check_names("train", training, params)
    check_names("train.network", partial(build, outputs=CLASSES, for_training=True), params["network"])
    check_names("train.optimizer", partial(make_optimizer, steps=1), params["optimizer"])
    print(f"train: {digits.total} digits and other marks, {validation.total} for validation", flush=True)
    logged = {"accepted": accepted, "false_rejects": false_rejects, "turns": turns, **params}
    checkpoint = Checkpoint.of(root() / CHECKPOINTS, logged, data_sha256(PROCESSED))
    if not resume:
        checkpoint.remove()
    with runs.training_run(logged) as run_id:
        runs.log_data({"train": digits, "validation": validation})
        trained = training(**params, log=LiveCurves(), checkpoint=checkpoint)
        manifest = replace(manifest_of(trained, params["seed"], false_rejects, turns), run_id=run_id)
        write_candidate(trained, validation, manifest)
        checkpoint.remove()  # only now, because an interrupted export must not lose the training
    accuracy = f"validation accuracy {manifest.metrics['validation_accuracy']:.2%}"
    print(f"train: best epoch {trained.best_epoch}, {accuracy}, {trained.seconds:.0f} s")


class LiveCurves:
    """Receives the metrics of each epoch, counted from 1, and writes them to MLflow and `CURVES` immediately.

    When an interrupted training resumes, it receives the earlier epochs again.
    """

    def __init__(self) -> None:
        self._epochs: list[Mapping[str, float]] = []

    def __call__(self, metrics: Mapping[str, float], epoch: int) -> None:
        self._epochs.append(metrics)
        columns = {name: [row[name] for row in self._epochs] for name in metrics}
        write_csv(CANDIDATE / CURVES, {"epoch": range(1, epoch + 1), **columns})
        runs.log_epoch(metrics, epoch)


def manifest_of(trained: Trained, seed: int, false_rejects: float, turns: list[float]) -> Manifest:
    """Return the candidate's manifest, with temperature and rejection thresholds calibrated on validation."""
    sources = digits_by_source(PROCESSED, "validation")
    logits = {name: logits_of(trained.model, digits, turns) for name, digits in sources.items()}
    right = {name: logits[name][:, :CLASSES].argmax(axis=1) == sources[name].labels for name in sources}
    metrics = {
        "validation_accuracy": float(right["plain"].mean()),
        "parameters": trained.model.count_params(),
        "train_seconds": round(trained.seconds, 1),
        "epochs": len(trained.history["loss"]),
        "best_epoch": trained.best_epoch,
        "seed": seed,
    }
    real = [name for name in REAL if name in sources]
    temperature = calibration.temperature(
        np.concatenate([logits[name] for name in real])[:, :CLASSES],
        np.concatenate([sources[name].labels for name in real]),
    )
    limit = scan_limit = None
    if logits["plain"].shape[1] > CLASSES:
        usual = np.concatenate([logits[name] for name in USUAL if name in sources])
        # Many digits of the other sources are illegible, so only those that are read correctly count here.
        others = {name: rejection_scores(logits[name][right[name]]) for name in sources if name not in USUAL}
        scans = others.pop("scans", None)
        limit = calibration.rejection_threshold(rejection_scores(usual), false_rejects, others.values())
        if scans is not None:
            scan_limit = calibration.rejection_threshold(scans, 2 * false_rejects)
    return Manifest(
        "",
        "",
        "",
        metrics=metrics,
        temperature=temperature,
        rejection_threshold=limit,
        scan_rejection_threshold=scan_limit,
        turns=[float(degrees) for degrees in turns],
    )


def logits_of(model: Any, digits: Digits, turns: Sequence[float] = ()) -> NDArray[np.float32]:
    """Return a Keras model's logits (n, outputs), with test-time augmentation for doubtful digits."""
    batch = digits.images[..., None].astype(np.float32)
    return averaged(lambda views: np.asarray(model.predict(views, batch_size=500, verbose=0)), batch, turns)


def write_candidate(trained: Trained, validation: Digits, manifest: Manifest) -> None:
    """Write the Keras file, the ONNX file and, last of all, the manifest to the candidate's folder."""
    from pipeline.registry.model_folder import write_folder

    CANDIDATE.mkdir(parents=True, exist_ok=True)
    trained.model.save(CANDIDATE / KERAS_FILE)
    commit = runs.git_tags().get("git_commit", "")
    complete = replace(
        manifest,
        data_sha256=data_sha256(PROCESSED),
        validation_sha256=Digits.load(PROCESSED, "validation").sha256(),
        git_commit=commit,
    )
    write_learnt(CANDIDATE, set(Accepted.load(PROCESSED, "train").groups.tolist()))
    write_folder(trained.model, CANDIDATE, validation.images, complete)


if __name__ == "__main__":
    sys.exit(main("train", run))
