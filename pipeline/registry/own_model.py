"""Adapt a user's own Keras model to this project's contract: pixels 0..255 in, logits out."""

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
LEAST = 1e-12  # probability; its logarithm is the lowest logit for a model that returns probabilities


def load_model(path: Path) -> keras.Model:
    """Load a Keras file; raises `ExportError` with the reason and the remedy."""
    if (path / "saved_model.pb").is_file():
        raise ExportError(
            f"{path} is a SavedModel, which Keras 3 cannot load. Convert it to ONNX with `python -m"
            f" tf2onnx.convert --saved-model {path} --output {path.name}.onnx`, and export that file."
        )
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.suffix in PYTORCH:
        raise ExportError(
            f"{path} is a PyTorch file, which could run any code. Export the model to ONNX in PyTorch"
            " (torch.onnx.export), and export that file."
        )
    if path.suffix not in SUFFIXES:
        raise ExportError(f"{path} is not a Keras file. Save the model as .keras or .h5 (model.save).")
    if path.suffix == ".h5" and _holds_weights_alone(path):
        raise ExportError(
            f"{path} has only weights and not the network. Build the model as for its training, call"
            f' model.load_weights("{path.name}") and model.save("model.keras"), and export that file.'
        )
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras, h5py and zipfile each raise their own
        version = _keras_version(path)
        if version.startswith(("1.", "2.")):
            raise ExportError(
                f"{path} was saved by Keras {version}. Keras 3 reads only its .h5 files. Load the model"
                ' there, call model.save("model.h5"), and export that file.'
            ) from error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"{path} cannot be loaded as a Keras model: {reason}") from error


def _holds_weights_alone(path: Path) -> bool:
    """Whether an HDF5 file has no network. False for a file that is not HDF5; loading it reports that."""
    if not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return "model_config" not in file.attrs


def _keras_version(path: Path) -> str:
    """Return the version of Keras that wrote a .keras file; "" if it is unknown."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return ""


def adapt(model: keras.Model, highest: float) -> keras.Model:
    """Return a model from float32 (n, 28, 28, 1), 0..255, to logits (n, 10 or 11).

    `highest` is the value of full ink for the user's model: 255, or 1 if it was trained on 0..1. The user's
    model may take (28, 28, 1), (28, 28) or (784,), and return logits or probabilities. Raises `ExportError`
    for any other shape.
    """
    shape = _input_shape(model)
    ink = keras.Input((FIELD, FIELD, 1), name="ink")
    x = keras.layers.Rescaling(highest / 255)(ink) if highest != 255 else ink
    x = x if shape == (FIELD, FIELD, 1) else keras.layers.Reshape(shape)(x)
    x = model(x)
    _check_output(tuple(x.shape))
    if _gives_probabilities(model, shape):
        x = keras.ops.log(keras.ops.maximum(x, LEAST))  # the softmax of this is the model's probabilities
    return keras.Model(ink, x, name="adapted")


def scales_itself(model: keras.Model) -> bool:
    """Whether the model has a layer that scales pixels 0..255 to its own range."""
    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    return any(isinstance(layer, kinds) for layer in _layers(model))


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers of a model and of nested models."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _input_shape(model: keras.Model) -> tuple[int, ...]:
    if len(model.inputs or []) != 1:
        raise ExportError("The model must have exactly one input, a picture of 28x28 pixels.")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape or math.prod(shape) != FIELD * FIELD:
        raise ExportError(f"The model takes {shape}, but must take (28, 28, 1), (28, 28) or (784,).")
    return shape


def _check_output(shape: tuple[int | None, ...]) -> None:
    if len(shape) != 2 or shape[1] not in (CLASSES, CLASSES + 1):
        wanted = '10 numbers (or 11, the last for "not a digit")'
        raise ExportError(f"The model returns {shape[1:]} per picture, but must return {wanted}.")


def _gives_probabilities(model: keras.Model, shape: tuple[int, ...]) -> bool:
    """Whether the outputs for noise are not negative and sum to 1 in each row."""
    noise = np.random.default_rng(0).uniform(0, 255, (8, *shape)).astype(np.float32)
    given = np.asarray(model(noise, training=False))
    return bool((given >= 0).all() and np.allclose(given.sum(axis=1), 1, atol=1e-3))
