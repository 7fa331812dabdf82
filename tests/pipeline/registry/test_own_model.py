"""Adapting a user's own Keras model, and the messages for models that cannot be adapted."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import keras
import pytest

from pipeline.project.errors import ExportError
from pipeline.registry import own_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

KERAS_2 = {  # of a model with one dense layer, as Keras 2.15 writes it
    "module": "keras",
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "layers": [
            {
                "module": "keras.layers",
                "class_name": "InputLayer",
                "config": {
                    "batch_input_shape": [None, 784],
                    "dtype": "float32",
                    "sparse": False,
                    "ragged": False,
                    "name": "input_1",
                },
                "registered_name": None,
            },
            {
                "module": "keras.layers",
                "class_name": "Dense",
                "config": {"name": "dense", "trainable": True, "dtype": "float32", "units": 10},
                "registered_name": None,
                "build_config": {"input_shape": [None, 784]},
            },
        ],
    },
    "registered_name": None,
    "build_config": {"input_shape": [None, 784]},
}


def network(*shape: int, outputs: int = 10) -> keras.Model:
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("own.txt", b"", "Save the model as .keras or .h5"),
        ("own.keras", b"damaged", "cannot be loaded"),
        ("own.h5", b"damaged", "cannot be loaded"),
        ("own.pt", b"", "Export the model to ONNX"),
    ],
)
def test_load_model_refuses(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExportError, match=said):
        own_model.load_model(tmp_path / name)


def test_weights_alone_are_told_from_a_model(tmp_path: Path) -> None:
    model = network(28, 28, 1)
    model.save_weights(tmp_path / "own.weights.h5")
    with h5py.File(tmp_path / "old.h5", "w") as file:  # as save_weights() of Keras 2 wrote them
        file.attrs["layer_names"] = [b"dense"]
    for name in ("own.weights.h5", "old.h5"):
        with pytest.raises(ExportError, match=r"only weights and not the network. Build .*load_weights"):
            own_model.load_model(tmp_path / name)
    model.save(tmp_path / "whole.h5")
    own_model.load_model(tmp_path / "whole.h5")


def test_file_of_keras_2_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        archive.writestr("config.json", json.dumps(KERAS_2))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(
        ExportError, match=r"saved by Keras 2.15.0. .* model.save\(\"model.h5\"\), and export that file"
    ):
        own_model.load_model(path)


def test_saved_model_has_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "saved_model.pb").touch()
    with pytest.raises(ExportError, match=r"is a SavedModel, .* tf2onnx.convert --saved-model .*own.onnx"):
        own_model.load_model(tmp_path / "own")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (network(32, 32, 3), r"takes \(32, 32, 3\)"),
        (network(28, 28, 1, outputs=26), r"returns \(26,\)"),
    ],
)
def test_adapt_refuses_other_shapes(model: keras.Model, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        own_model.adapt(model, 255)


def test_adapt_two_inputs() -> None:
    inputs = [keras.Input((28, 28, 1)), keras.Input((28, 28, 1))]
    model = keras.Model(inputs, keras.layers.Flatten()(keras.layers.add(inputs)))
    with pytest.raises(ExportError, match="one input"):
        own_model.adapt(model, 255)


def test_scales_itself_looks_into_models_that_are_layers() -> None:
    scaling = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255)])
    assert own_model.scales_itself(keras.Sequential([keras.Input((28, 28, 1)), scaling, network(28, 28, 1)]))
    assert not own_model.scales_itself(network(28, 28, 1))
