"""The network: convolutions in blocks, each ended by pooling, then dense layers, then logits."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from digits.ink import FIELD


def build(
    blocks: Sequence[Sequence[int]],
    *,
    outputs: int = 10,
    kernel: int = 3,
    padding: str = "same",
    batch_norm: bool = True,
    dropout: float = 0.0,
    dense: Sequence[int] = (),
    dense_dropout: float = 0.0,
) -> keras.Model:
    """A network from float32 (n, 28, 28, 1), 0..255, to logits (n, outputs).

    `blocks` holds the filters of each convolution, a list for each block; a 2x2 max pooling ends a
    block. `dropout` stands before the dense layers, `dense_dropout` after each of them. An eleventh
    output is "not a digit".
    """
    inputs = keras.Input((FIELD, FIELD, 1), name="ink")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for block in blocks:
        for filters in block:
            x = _convolution(x, filters, kernel, padding, batch_norm)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(dropout)(x) if dropout else x
    for units in dense:
        x = keras.layers.Dense(units, activation="relu")(x)
        x = keras.layers.Dropout(dense_dropout)(x) if dense_dropout else x
    return keras.Model(inputs, keras.layers.Dense(outputs, name="logits")(x), name="digits")


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, padding: str, batch_norm: bool
) -> keras.KerasTensor:
    if not batch_norm:
        return keras.layers.Conv2D(filters, kernel, padding=padding, activation="relu")(x)
    x = keras.layers.Conv2D(filters, kernel, padding=padding, use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
