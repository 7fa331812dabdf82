"""Training as a function: digits and plain values in, a network out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.model import CLASSES
from pipeline.augment import batches
from pipeline.callbacks import Best, Logs, Progress
from pipeline.dataset import Digits
from pipeline.network import build
from pipeline.optimizer import make_optimizer

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
        jit_compile=False,  # XLA is slower for such a network on a CPU
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
        logs["learning_rate"] = float(model.optimizer.learning_rate)  # for the history too
        log(logs, epoch + 1)

    hook = keras.callbacks.LambdaCallback
    found = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if model.optimizer.use_ema else []
    found += [hook(on_epoch_end=call) for call in (best.keep, progress.epoch, told)]
    if sys.stdout.isatty():  # only then: the loss of every step costs time
        found.append(hook(on_train_batch_end=progress.step))
    return found


def _fixed_batches(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> tf.data.Dataset:
    """The same digits in the same order, as they are."""
    data = tf.data.Dataset.from_tensor_slices((images[..., None], tf.one_hot(labels, classes))).batch(500)
    return data.map(lambda x, y: (tf.cast(x, tf.float32), y)).cache()
