"""A person's own Keras model, put behind this project's contract: pixels 0..255 in, logits out."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np

from digits.network.contract import CLASSES, FIELD
from pipeline.project.errors import ExportError

SUFFIXES = (".keras", ".h5")
PYTORCH = (".pt", ".pth")
LEAST = 1e-12  # probability: its logarithm is the lowest logit of a model that gives probabilities


def load_model(path: Path) -> keras.Model:
    """Load a Keras file; raises `ExportError` with the reason and the way out where that fails."""
    if (path / "saved_model.pb").is_file():
        raise ExportError(
            f"{path} is a SavedModel, which Keras 3 does not load: `python -m tf2onnx.convert --saved-model"
            f" {path} --output {path.name}.onnx` makes an ONNX file of it, which is taken here."
        )
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.suffix in PYTORCH:
        raise ExportError(
            f"{path} is a file of PyTorch's, which could run any code: export the model there as ONNX"
            " (torch.onnx.export), which is taken here."
        )
    if path.suffix not in SUFFIXES:
        raise ExportError(f"{path} is no Keras file: save the model as .keras or .h5 (model.save).")
    if path.suffix == ".h5" and _holds_weights_alone(path):
        raise ExportError(
            f"{path} holds weights alone, and not the network: build the model as its training did, then"
            f' model.load_weights("{path.name}") and model.save("model.keras"), which is taken here.'
        )
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras, h5py and zipfile each raise their own
        version = _keras_version(path)
        if version.startswith(("1.", "2.")):
            raise ExportError(
                f"{path} was saved by Keras {version}, of whose files Keras 3 reads .h5 alone: load it there,"
                ' and model.save("model.h5") makes one, which is taken here.'
            ) from error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"{path} cannot be loaded as a Keras model: {reason}") from error


def _holds_weights_alone(path: Path) -> bool:
    """Whether an HDF5 file says nothing of a network; what is no HDF5 file is said by who loads it."""
    if not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return "model_config" not in file.attrs


def _keras_version(path: Path) -> str:
    """The version of Keras that a .keras file says; "" where it says none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return ""


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
