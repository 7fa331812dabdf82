"""The network: blocks of convolutions, most of which halve the feature map, followed by dense layers."""

# See docs/decisions/training.md.
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
    """Build a network from float32 (n, 28, 28, 1), 0..255, to logits (n, outputs).

    `blocks` lists the numbers of filters of each block's convolutions. For each block, `padding` is "same" or
    "valid", `kernels` is the side of the kernels in pixels, and `halving` says how the last convolution
    halves the feature map: with a stride of two ("stride"), with 2x2 max pooling ("pool"), or not at all
    ("none"). `dropout` is applied before the dense layers and `dense_dropout` after each of them. An eleventh
    output is "not a digit". With `for_training`, the same weights are in layers that train faster but that
    Keras cannot load without this module. Raises `ParameterError` if the lists differ in length or a halving
    is unknown.
    """
    if len({len(blocks), len(padding), len(kernels), len(halving)}) > 1:
        raise ParameterError(
            "train.network: padding, kernels and halving need one entry for each block in blocks."
        )
    unknown = set(halving) - set(get_args(Halving))
    if unknown:
        raise ParameterError(
            f"train.network.halving: {min(unknown)!r} is not one of {', '.join(get_args(Halving))}."
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
    logits = keras.layers.Dense(outputs, name="logits", dtype="float32")(x)  # even if the rest is bfloat16
    return keras.Model(inputs, logits, name="digits")


def _convolution(
    x: keras.KerasTensor,
    filters: int,
    kernel: int,
    padding: str,
    normalization: type[keras.layers.Layer] | None,
    halving: Halving,
) -> keras.KerasTensor:
    """Add a convolution. Pooling comes before normalisation and ReLU, which then do a quarter of the work."""
    step = 2 if halving == "stride" else 1
    x = keras.layers.Conv2D(filters, kernel, strides=step, padding=padding, use_bias=normalization is None)(x)
    x = keras.layers.MaxPooling2D()(x) if halving == "pool" else x
    x = normalization(momentum=0.9)(x) if normalization else x
    return keras.layers.ReLU()(x)
