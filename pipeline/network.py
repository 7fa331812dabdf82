"""The network: convolutions in blocks, most of them ended by pooling, then dense layers, then logits."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from digits.field import FIELD


def build(
    blocks: Sequence[Sequence[int]],
    *,
    padding: Sequence[str],
    kernels: Sequence[int],
    pools: int,
    outputs: int = 10,
    batch_norm: bool = True,
    dropout: float = 0.0,
    dense: Sequence[int] = (),
    dense_dropout: float = 0.0,
) -> keras.Model:
    """A network from float32 (n, 28, 28, 1), 0..255, to logits (n, outputs).

    `blocks` holds the filters of each convolution, a list for each block; `padding` is "same" or
    "valid" and `kernels` the side in pixels of the kernels, both for each block; a 2x2 max pooling ends
    the first `pools` blocks. `dropout` stands before the dense layers, `dense_dropout` after each of
    them. An eleventh output is "not a digit".
    """
    inputs = keras.Input((FIELD, FIELD, 1), name="ink")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for number, (block, edges, kernel) in enumerate(zip(blocks, padding, kernels, strict=True)):
        for filters in block[:-1]:
            x = _convolution(x, filters, kernel, edges, batch_norm, pooled=False)
        x = _convolution(x, block[-1], kernel, edges, batch_norm, pooled=number < pools)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(dropout)(x) if dropout else x
    for units in dense:
        x = keras.layers.Dense(units, activation="relu")(x)
        x = keras.layers.Dropout(dense_dropout)(x) if dense_dropout else x
    return keras.Model(inputs, keras.layers.Dense(outputs, name="logits")(x), name="digits")


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, padding: str, batch_norm: bool, *, pooled: bool
) -> keras.KerasTensor:
    """Pooling comes before what follows it element by element: a quarter of the work, the same maximum."""
    x = keras.layers.Conv2D(filters, kernel, padding=padding, use_bias=not batch_norm)(x)
    x = keras.layers.MaxPooling2D()(x) if pooled else x
    x = keras.layers.BatchNormalization(momentum=0.9)(x) if batch_norm else x
    return keras.layers.ReLU()(x)
