"""Stage `train`: a convolutional network on the processed digits, into models/candidate."""

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
    """The whole stage: see `pipeline.training.loop.train` for most of the parameters.

    `resume`: whether a training with these very parameters that was interrupted goes on where it stood.
    `drawn`: which share of the digits and marks that preprocess drew each epoch sees, `drawn_last`: which in
    the last quarter of the epochs. `accepted`: how often each epoch sees each accepted picture of feedback,
    each time changed in another way. `false_rejects`: which share of the validation digits may be taken for
    no digit, so that as few other marks as can be are taken for one. `turns`: of doubtful digits several
    views count, turned by these degrees.
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
        checkpoint.remove()  # not before: an interrupted export would lose the training
    accuracy = f"validation accuracy {manifest.metrics['validation_accuracy']:.2%}"
    print(f"train: best epoch {trained.best_epoch}, {accuracy}, {trained.seconds:.0f} s")


class LiveCurves:
    """Gets the metrics of every epoch, counted from 1, and shows them at once: in MLflow and in `CURVES`.

    An interrupted training that goes on is told its first epochs again.
    """

    def __init__(self) -> None:
        self._epochs: list[Mapping[str, float]] = []

    def __call__(self, metrics: Mapping[str, float], epoch: int) -> None:
        self._epochs.append(metrics)
        columns = {name: [row[name] for row in self._epochs] for name in metrics}
        write_csv(CANDIDATE / CURVES, {"epoch": range(1, epoch + 1), **columns})
        runs.log_epoch(metrics, epoch)


def manifest_of(trained: Trained, seed: int, false_rejects: float, turns: list[float]) -> Manifest:
    """What the candidate says of itself, its numbers calibrated on validation."""
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
        # Of these many cannot be read at all: to reject one that would be misread is right.
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
    """What a Keras model says of digits, of doubtful ones over several views (test-time augmentation)."""
    batch = digits.images[..., None].astype(np.float32)
    return averaged(lambda views: np.asarray(model.predict(views, batch_size=500, verbose=0)), batch, turns)


def write_candidate(trained: Trained, validation: Digits, manifest: Manifest) -> None:
    """The candidate's folder: beside the curves the Keras file, the ONNX file, and the manifest last."""
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
