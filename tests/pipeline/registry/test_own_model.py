"""A person's own Keras model behind the contract, and what is said where it cannot be."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from pipeline.project.errors import ExportError
from pipeline.registry import own_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def network(*shape: int, outputs: int = 10) -> keras.Model:
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs)]
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("own.txt", b"", "save the model as .keras or .h5"), ("own.keras", b"damaged", "cannot be loaded")],
)
def test_load_model_refuses(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ExportError, match=said):
        own_model.load_model(tmp_path / name)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (network(32, 32, 3), r"takes \(32, 32, 3\)"),
        (network(28, 28, 1, outputs=26), r"gives \(26,\)"),
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
