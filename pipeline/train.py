"""Stage `train`: a convolutional network on the processed digits, into models/candidate."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.model import CLASSES, Manifest
from pipeline import calibrate, tracking
from pipeline.augment import batches
from pipeline.callbacks import Best, Logs, Progress
from pipeline.dataset import Digits, data_sha256
from pipeline.export import write_folder
from pipeline.network import build
from pipeline.optimizer import make_optimizer
from pipeline.project import CANDIDATE, PROCESSED, REPORTS, write_text
from pipeline.stage import check_names, run_stage

KERAS_FILE = "digits.keras"
COMPARED = 1000  # digits on which ONNX and Keras are compared


Log = Callable[[Logs, int], None]


def _no_log(metrics: Logs, epoch: int) -> None:
    """Trainings outside a run."""


@dataclass(frozen=True)
class Trained:
    """A network with the weights of its best epoch (counted from 1), and how it got there."""

    model: keras.Model
    history: dict[str, list[float]]
    best_epoch: int
    seconds: float


def train(
    digits: Digits,
    validation: Digits,
    *,
    seed: int,
    epochs: int,
    batch: int,
    label_smoothing: float,
    network: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    augment: Mapping[str, Any],
    log: Log = _no_log,
) -> Trained:
    """Train a network; the same arguments on the same machine give the same weights.

    `log` gets the metrics of every epoch and its number, counted from 1.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    classes = max(CLASSES, int(digits[1].max()) + 1)
    steps = max(1, len(digits[0]) // batch)
    model = build(outputs=classes, **network)
    model.compile(
        make_optimizer(steps=steps * epochs, **optimizer),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing),
        metrics=["accuracy"],
    )
    best, progress, began = Best(model), Progress(epochs, steps), time.monotonic()
    history = model.fit(
        batches(*digits, classes=classes, batch=batch, epochs=epochs, seed=seed, **augment),
        epochs=epochs,
        steps_per_epoch=steps,
        shuffle=False,  # the batches are shuffled already
        validation_data=_fixed_batches(*validation, classes=classes),
        callbacks=_callbacks(model, best, progress, log),
        verbose=0,
    )
    model.set_weights(best.weights)
    return Trained(model, history.history, best.epoch + 1, time.monotonic() - began)


def _callbacks(
    model: keras.Model, best: Best, progress: Progress, log: Log
) -> list[keras.callbacks.Callback]:
    """In this order: the averaged weights stand in the model when `best` looks at it."""

    def told(epoch: int, logs: Logs) -> None:
        log({**logs, "learning_rate": float(model.optimizer.learning_rate)}, epoch + 1)

    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if model.optimizer.use_ema else []
    lambdas = keras.callbacks.LambdaCallback
    return [
        *averaging,
        lambdas(on_epoch_end=best.keep),
        lambdas(on_epoch_end=progress.epoch, on_train_batch_end=progress.step),
        lambdas(on_epoch_end=told),
    ]


def _fixed_batches(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> tf.data.Dataset:
    """The same digits in the same order, as they are."""
    data = tf.data.Dataset.from_tensor_slices((images[..., None], tf.one_hot(labels, classes))).batch(500)
    return data.map(lambda x, y: (tf.cast(x, tf.float32), y)).cache()


def manifest_of(trained: Trained, validation: Digits, seed: int) -> Manifest:
    """What the candidate says of itself, its numbers calibrated on validation."""
    images, labels = validation
    logits = trained.model.predict(images[..., None].astype(np.float32), batch_size=500, verbose=0)
    real = logits[labels < CLASSES, :CLASSES]
    metrics = {
        "validation_accuracy": float((real.argmax(axis=1) == labels[labels < CLASSES]).mean()),
        "parameters": float(trained.model.count_params()),
        "train_seconds": round(trained.seconds, 1),
        "epochs": float(len(trained.history["loss"])),
        "best_epoch": float(trained.best_epoch),
        "seed": float(seed),
    }
    temperature = calibrate.temperature(real, labels[labels < CLASSES])
    return Manifest("", "", "", metrics=metrics, temperature=temperature)


def curves_csv(history: Mapping[str, Sequence[float]]) -> str:
    """The history of a training as CSV, a row an epoch: what `dvc plots` draws."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *history])
    for epoch, row in enumerate(zip(*history.values(), strict=True), start=1):
        writer.writerow([epoch, *(f"{value:.6g}" for value in row)])
    return text.getvalue()


def stage(**params: Any) -> None:
    """The whole stage: see `train` for the parameters."""
    digits, validation = (Digits.load(PROCESSED, split) for split in ("train", "validation"))
    check_names("train", partial(train, digits, validation), params)
    print(f"train: {digits.total} digits, {validation.total} for validation", flush=True)
    with tracking.training_run(params) as run_id:
        trained = train(digits, validation, **params, log=tracking.log_epoch)
        manifest = manifest_of(trained, validation, params["seed"])
        write_candidate(trained, validation, replace(manifest, run_id=run_id))
    accuracy = manifest.metrics["validation_accuracy"]
    print(
        f"train: best epoch {trained.best_epoch}, validation accuracy {accuracy:.2%}, {trained.seconds:.0f} s"
    )


def write_candidate(trained: Trained, validation: Digits, manifest: Manifest) -> None:
    """The model folder of the candidate, its Keras file, and the curves of its training."""
    CANDIDATE.mkdir(parents=True, exist_ok=True)
    trained.model.save(CANDIDATE / KERAS_FILE)
    commit = tracking.git_tags().get("git_commit", "")
    complete = replace(manifest, data_sha256=data_sha256(PROCESSED), git_commit=commit)
    write_folder(trained.model, CANDIDATE, validation[0][:COMPARED], complete)
    write_text(REPORTS / "training.csv", curves_csv(trained.history))


if __name__ == "__main__":
    sys.exit(run_stage("train", stage))
