"""A person's own Keras model, put behind this project's contract: pixels 0..255 in, logits out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from digits.network.contract import CLASSES, FIELD
from pipeline.project.errors import ExportError

SUFFIXES = (".keras", ".h5")
LEAST = 1e-12  # probability: its logarithm is the lowest logit of a model that gives probabilities


def load_model(path: Path) -> keras.Model:
    """Load a Keras file; raises `ExportError` with the reason where that is not possible."""
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.suffix not in SUFFIXES:
        raise ExportError(f"{path} is no Keras file: save the model as .keras or .h5 (model.save).")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras, h5py and zipfile each raise their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"{path} cannot be loaded as a Keras model: {reason}") from error


def adapt(model: keras.Model, highest: float) -> keras.Model:
    """A model from float32 (n, 28, 28, 1), 0..255, to logits (n, 10 or 11).

    `highest` is what full ink is to the person's model: 255, or 1 where it was trained on 0..1.
    Takes models of (28, 28, 1), (28, 28) or (784,), that give logits or probabilities. Raises
    `ExportError` for any other shape.
    """
    shape = _input_shape(model)
    ink = keras.Input((FIELD, FIELD, 1), name="ink")
    x = keras.layers.Rescaling(highest / 255)(ink) if highest != 255 else ink
    x = x if shape == (FIELD, FIELD, 1) else keras.layers.Reshape(shape)(x)
    x = model(x)
    _check_output(tuple(x.shape))
    if _gives_probabilities(model, shape):
        x = keras.ops.log(keras.ops.maximum(x, LEAST))  # the softmax of these logits is what it gave
    return keras.Model(ink, x, name="adapted")


def scales_itself(model: keras.Model) -> bool:
    """Whether the model holds a layer that brings pixels 0..255 to its own range."""
    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    return any(isinstance(layer, kinds) for layer in _layers(model))


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model, and of the models that are layers of it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _input_shape(model: keras.Model) -> tuple[int, ...]:
    if len(model.inputs or []) != 1:
        raise ExportError("The model has not exactly one input: one picture of 28x28 pixels is what it gets.")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape or math.prod(shape) != FIELD * FIELD:
        raise ExportError(f"The model takes {shape}: it has to take (28, 28, 1), (28, 28) or (784,).")
    return shape


def _check_output(shape: tuple[int | None, ...]) -> None:
    if len(shape) != 2 or shape[1] not in (CLASSES, CLASSES + 1):
        wanted = "10 numbers (or 11, the last for no digit)"
        raise ExportError(f"The model gives {shape[1:]} a picture: it has to give {wanted}.")


def _gives_probabilities(model: keras.Model, shape: tuple[int, ...]) -> bool:
    """Told by what it gives for noise: nothing below 0, and rows that sum to 1."""
    noise = np.random.default_rng(0).uniform(0, 255, (8, *shape)).astype(np.float32)
    given = np.asarray(model(noise, training=False))
    return bool((given >= 0).all() and np.allclose(given.sum(axis=1), 1, atol=1e-3))
