"""Training batches: shuffled, warped anew in every epoch, the same for the same seed.

Every random number follows from (seed, epoch, step) alone, so the batches of an epoch do not depend on
threads, on the epochs before it or on a restart.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.field import FIELD
from pipeline.warp import Floats, warped

_OTHERS = 2**32  # in the seeds of the drawn digits' order, so that they are none of an epoch's order


def batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    classes: int,
    batch: int,
    epochs: int,
    seed: int,
    first_epoch: int = 0,
    own: int | None = None,
    drawn: float = 1.0,
    **changes: float,
) -> tf.data.Dataset:
    """Batches of float32 (batch, 28, 28, 1), 0..255, and one-hot labels, for all epochs in a row.

    Each epoch has the first `own` digits (None: all) and the share `drawn` of the others, as `order` has
    them, in whole batches. `changes` are those of `pipeline.warp.warped`; without any the digits stay as
    they are.
    """
    own = len(images) if own is None else own
    size = epoch_size(len(images), own, drawn)
    batch = min(batch, size)
    steps = size // batch
    answers = np.eye(classes, dtype=np.float32)[labels]
    ordered = lru_cache(maxsize=1)(partial(order, len(images), own, drawn, seed))

    def one_batch(number: np.int64) -> tuple[Floats, Floats]:
        epoch, step = divmod(int(number), steps)
        chosen = ordered(epoch)[step * batch : (step + 1) * batch]
        if not any(changes.values()):
            return images[chosen, :, :, None].astype(np.float32), answers[chosen]
        return warped(images[chosen], np.random.default_rng([seed, epoch, step]), **changes), answers[chosen]

    def shaped(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.ensure_shape(x, (batch, FIELD, FIELD, 1)), tf.ensure_shape(y, (batch, classes))

    # `stateful=False`: what is stateful runs in the foreground once TensorFlow has to be deterministic
    numbers = tf.data.Dataset.range(first_epoch * steps, epochs * steps)
    made = numbers.map(lambda n: tf.numpy_function(one_batch, [n], (tf.float32, tf.float32), stateful=False))
    return untuned(made.map(shaped).prefetch(8))


def epoch_size(total: int, own: int, drawn: float) -> int:
    """How many digits, of `total`, an epoch has: the first `own` and the share `drawn` of the others."""
    return own + round(drawn * (total - own))


def order(total: int, own: int, drawn: float, seed: int, epoch: int) -> NDArray[np.intp]:
    """The positions, of `total`, that an epoch (from 0) sees, shuffled.

    The first `own` are in every epoch. Of the others it has the share `drawn`, each epoch those that come
    next in a round through all of them, each round in another order.
    """
    others = total - own
    count = epoch_size(total, own, drawn) - own
    first, last = epoch * count, (epoch + 1) * count
    rounds = range(first // others, -(-last // others)) if others else range(0)
    seen = [np.random.default_rng([seed, _OTHERS, number]).permutation(others) for number in rounds]
    start = first - rounds.start * others
    chosen = own + np.concatenate([*seen, np.empty(0, np.intp)])[start : start + count]
    return np.random.default_rng([seed, epoch]).permutation(np.concatenate([np.arange(own), chosen]))


def untuned(data: tf.data.Dataset) -> tf.data.Dataset:
    """The data without TensorFlow's tuning, whose thread sleeps up to a minute and is waited for."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return data.with_options(options)
