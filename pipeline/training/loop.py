"""Training as a function: digits and plain values in, a network out."""

# Why it is so: docs/decisions/training-speed.md
from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from digits.network.contract import CLASSES
from pipeline.mnist.dataset import Digits
from pipeline.training.batches import batches, untuned
from pipeline.training.checkpoint import Checkpoint
from pipeline.training.journal import Journal, Log, Progress
from pipeline.training.network import build
from pipeline.training.optimizers import make_optimizer
from pipeline.training.precision import calculating, processor_has_bfloat16
from pipeline.training.sampling import Epochs


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
    own: int | None = None,
    drawn: float = 1.0,
    drawn_last: float = 1.0,
    seed: int,
    epochs: int,
    batch: int,
    bfloat16: bool,
    label_smoothing: float,
    network: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    augment: Mapping[str, Any],
    log: Log | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a network; the same arguments on the same machine give the same weights.

    Every epoch has the first `own` digits (None: all), and the share `drawn` of the others, the last ones
    `drawn_last`, each time another part of them: `pipeline.training.sampling`. With `bfloat16` a processor
    that multiplies in it does so (about a third faster); the network that comes back is float32 either way.
    `log` gets the metrics of every epoch. With a `checkpoint`, a training that was interrupted goes on after
    its last whole epoch, to the same weights; who keeps the network removes the checkpoint.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    classes = max(CLASSES, int(digits[1].max()) + 1)
    own = digits.total if own is None else own
    plan = Epochs(digits.total, own, epochs, drawn, drawn_last, seed)
    steps = max(1, plan.size // batch)
    with calculating(in_bfloat16=bfloat16 and processor_has_bfloat16()):
        model = build(outputs=classes, **network, for_training=True)
    model.compile(
        make_optimizer(steps=steps * epochs, **optimizer),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,  # XLA is slower for such a network on a CPU
    )
    journal = Journal(model, log, checkpoint)
    journal.resume()
    first = journal.first_epoch
    with _cores_left_to_tensorflow():
        model.fit(
            batches(*digits, classes=classes, batch=batch, epochs=plan, first_epoch=first, **augment),
            epochs=epochs,
            initial_epoch=first,
            steps_per_epoch=steps,
            shuffle=False,  # the batches are shuffled already
            validation_data=_fixed_batches(*validation, classes=classes),
            callbacks=_callbacks(model, journal, Progress(epochs, steps, first)),
            verbose=0,
        )
    best = build(outputs=classes, **network)  # of Keras's own layers, and without the optimizer
    best.set_weights(journal.best_weights)
    return Trained(best, journal.history, journal.best_epoch + 1, journal.seconds)


@contextmanager
def _cores_left_to_tensorflow() -> Iterator[None]:
    """OpenCV and every BLAS work on the thread that calls them.

    Threads of their own would spin between two batches: a fifth of all processor time.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(threads)


def _callbacks(model: keras.Model, journal: Journal, progress: Progress) -> list[keras.callbacks.Callback]:
    """In this order: the averaged weights are in the model as an epoch ends, and out again as one begins."""
    hook = keras.callbacks.LambdaCallback
    found = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if model.optimizer.use_ema else []
    found.append(hook(on_epoch_begin=lambda epoch, _: journal.epoch_begins(epoch)))
    found += [hook(on_epoch_end=call) for call in (journal.epoch_ends, progress.epoch)]
    if sys.stdout.isatty():  # only then: the loss of every step costs time
        found.append(hook(on_train_batch_end=progress.step))
    return found


def _fixed_batches(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> tf.data.Dataset:
    """The same digits in the same order, as they are."""
    data = tf.data.Dataset.from_tensor_slices((images[..., None], tf.one_hot(labels, classes))).batch(500)
    return untuned(data.map(lambda x, y: (tf.cast(x, tf.float32), y)).cache())
