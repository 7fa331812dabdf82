"""The network: convolutions in blocks, most of which end with a map of half the size, then dense layers."""

# Why it is so: docs/decisions/training.md
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import keras

from digits.network.contract import CLASSES, FIELD
from pipeline.project.errors import ParameterError
from pipeline.training.precision import FusedBatchNormalization

Halving = Literal["stride", "pool", "none"]


def build(
    blocks: Sequence[Sequence[int]],
    *,
    padding: Sequence[str],
    kernels: Sequence[int],
    halving: Sequence[Halving],
    outputs: int = CLASSES,
    batch_norm: bool = True,
    dropout: float = 0.0,
    dense: Sequence[int] = (),
    dense_dropout: float = 0.0,
    for_training: bool = False,
) -> keras.Model:
    """A network from float32 (n, 28, 28, 1), 0..255, to logits (n, outputs).

    `blocks` holds the filters of each convolution, a list for each block. For each block, `padding` is
    "same" or "valid", `kernels` the side in pixels of the kernels, and `halving` how its last convolution
    halves the map: in steps of two ("stride"), with a 2x2 max pooling ("pool"), or not ("none").
    `dropout` stands before the dense layers, `dense_dropout` after each of them. An eleventh output is
    "not a digit". `for_training` has the same weights in layers that train faster and that Keras alone
    cannot load. Raises `ParameterError` where the lists differ in length or name another halving.
    """
    if len({len(blocks), len(padding), len(kernels), len(halving)}) > 1:
        raise ParameterError(
            "train.network: padding, kernels and halving need one entry for each of the blocks."
        )
    unknown = set(halving) - set(get_args(Halving))
    if unknown:
        raise ParameterError(
            f"train.network.halving: {min(unknown)!r} is none of {', '.join(get_args(Halving))}."
        )
    normalization = None
    if batch_norm:
        normalization = FusedBatchNormalization if for_training else keras.layers.BatchNormalization
    inputs = keras.Input((FIELD, FIELD, 1), name="ink")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for block, edges, kernel, end in zip(blocks, padding, kernels, halving, strict=True):
        for filters in block[:-1]:
            x = _convolution(x, filters, kernel, edges, normalization, "none")
        x = _convolution(x, block[-1], kernel, edges, normalization, end)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(dropout)(x) if dropout else x
    for units in dense:
        x = keras.layers.Dense(units, activation="relu")(x)
        x = keras.layers.Dropout(dense_dropout)(x) if dense_dropout else x
    logits = keras.layers.Dense(outputs, name="logits", dtype="float32")(x)  # whatever the rest calculates in
    return keras.Model(inputs, logits, name="digits")


def _convolution(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    padding: str,
    normalization: type[keras.layers.Layer] | None,
    halving: Halving,
) -> keras.KerasTensor:
    """Pooling comes before what follows it element by element: a quarter of the work, the same maximum."""
    step = 2 if halving == "stride" else 1
    x = keras.layers.Conv2D(filters, kernel, strides=step, padding=padding, use_bias=normalization is None)(x)
    x = keras.layers.MaxPooling2D()(x) if halving == "pool" else x
    x = normalization(momentum=0.9)(x) if normalization else x
    return keras.layers.ReLU()(x)
