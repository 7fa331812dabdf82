"""Training batches: shuffled, augmented differently in every epoch, and reproducible for a seed.

Random numbers depend only on (seed, epoch, step), so the batches of an epoch do not depend on threads, on
earlier epochs or on a restart.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.network.contract import FIELD
from pipeline.training.sampling import Epochs
from pipeline.training.warp import Floats, warped


def batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    classes: int,
    batch: int,
    epochs: Epochs,
    first_epoch: int = 0,
    **changes: float,
) -> tf.data.Dataset:
    """Return batches of float32 (batch, 28, 28, 1), 0..255, and one-hot labels, for all epochs in a row.

    `epochs` chooses the digits of each epoch. The rest of an epoch that does not fill a batch is dropped.
    `changes` are the augmentations of `pipeline.training.warp.warped`; by default there are none.
    """
    batch = min(batch, epochs.size)
    steps = epochs.size // batch
    answers = np.eye(classes, dtype=np.float32)[labels]
    ordered = lru_cache(maxsize=1)(epochs.order)

    def one_batch(number: np.int64) -> tuple[Floats, Floats]:
        epoch, step = divmod(int(number), steps)
        chosen = ordered(epoch)[step * batch : (step + 1) * batch]
        if not any(changes.values()):
            return images[chosen, :, :, None].astype(np.float32), answers[chosen]
        random = np.random.default_rng([epochs.seed, epoch, step])
        return warped(images[chosen], random, **changes), answers[chosen]

    def shaped(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.ensure_shape(x, (batch, FIELD, FIELD, 1)), tf.ensure_shape(y, (batch, classes))

    # `stateful=False` because deterministic TensorFlow runs stateful functions in the foreground
    numbers = tf.data.Dataset.range(first_epoch * steps, epochs.count * steps)
    made = numbers.map(lambda n: tf.numpy_function(one_batch, [n], (tf.float32, tf.float32), stateful=False))
    return untuned(made.map(shaped).prefetch(8))


def untuned(data: tf.data.Dataset) -> tf.data.Dataset:
    """Disable autotuning, because at the end TensorFlow waits for its thread, which sleeps up to a minute."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return data.with_options(options)
