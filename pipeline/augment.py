"""Training batches: shuffled, warped anew in every epoch, the same for the same seed.

Every random number is a stateless function of (seed, epoch, step), so the batches of an epoch do not
depend on threads, on the epochs before it or on a restart.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digits.ink import FIELD


def batches(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    classes: int,
    batch: int,
    epochs: int,
    seed: int,
    first_epoch: int = 0,
    rotation: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    shift: float = 0.0,
) -> tf.data.Dataset:
    """Batches of float32 (batch, 28, 28, 1), 0..255, and one-hot labels, for all epochs in a row.

    `rotation` and `shear` in degrees, `scale` as a share, `shift` in pixels: the most that a digit is
    changed, either way. An epoch has `len(images) // batch` steps, but one at least.
    """
    count = len(images)
    batch = min(batch, count)
    steps = count // batch
    pixels = tf.constant(images)
    answers = tf.one_hot(labels, classes)
    warps = bool(rotation or scale or shear or shift)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(count), [seed, epoch])
        order = tf.reshape(order[: steps * batch], [steps, batch])
        numbers = epoch * steps + tf.range(steps, dtype=tf.int64)
        return tf.data.Dataset.from_tensor_slices((order, numbers))

    def one_batch(chosen: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.cast(tf.gather(pixels, chosen), tf.float32)[..., None]
        if warps:
            x = _warped(x, [seed, number], rotation, scale, shear, shift)
        return x, tf.gather(answers, chosen)

    epoch_numbers = tf.data.Dataset.range(first_epoch, epochs)
    return epoch_numbers.flat_map(one_epoch).map(one_batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(8)


def _warped(
    x: tf.Tensor, seed: list[tf.Tensor], rotation: float, scale: float, shear: float, shift: float
) -> tf.Tensor:
    """Each picture under its own affine map about its centre."""
    count = x.shape[0]
    u = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0)
    turn, lean = u[0] * math.radians(rotation), tf.tan(u[1] * math.radians(shear))
    wide, high = 1 + u[2] * scale, 1 + u[3] * scale
    a, b = tf.cos(turn) / wide, (tf.sin(turn) + lean) / wide
    d, e = -tf.sin(turn) / high, tf.cos(turn) / high
    middle = (FIELD - 1) / 2
    c = middle - a * middle - b * middle + u[4] * shift
    f = middle - d * middle - e * middle + u[5] * shift
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=[FIELD, FIELD],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
