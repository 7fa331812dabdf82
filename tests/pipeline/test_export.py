"""Export of a user's own Keras model, and the messages for models that cannot be exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from digits.network.model import Manifest, Model
from pipeline import export
from pipeline.project.errors import ExportError
from pipeline.registry import model_folder, own_model

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)


def network(*shape: int, outputs: int = 10, activation: str | None = None) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, activation=activation)]
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run the command in a folder without data."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["export", *map(str, arguments)])
        return export.main()

    return call


def test_export_probabilities_of_flat_pixels_0_to_1(run: Callable[..., int], tmp_path: Path) -> None:
    model = network(784, activation="softmax")
    model.save(tmp_path / "own.keras")
    assert run("own.keras", "out") == 0
    expected = np.asarray(model(PIXELS.reshape(5, 784) / np.float32(255)))
    given = Model.load(tmp_path / "out").classify(PIXELS[..., None].astype(np.float32)).probabilities
    assert np.allclose(given, expected, atol=1e-4)


def test_export_logits_of_a_model_that_scales_itself(run: Callable[..., int], tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), network(28, 28, 1)])
    model.save(tmp_path / "own.h5")
    assert run("own.h5", "out") == 0
    expected = np.asarray(model(PIXELS[..., None].astype(np.float32)))
    given = Model.load(tmp_path / "out").logits(PIXELS[..., None].astype(np.float32))
    assert np.allclose(given, expected, atol=1e-4)


def test_export_says_what_is_missing(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("none.keras", "out") == 1
    assert "no file none.keras" in capsys.readouterr().err
    assert not Path("out").exists()


def test_write_folder_refuses_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = model_folder.onnx_bytes(own_model.adapt(network(28, 28), 1))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    monkeypatch.setattr(model_folder, "onnx_bytes", lambda _: other)
    with pytest.raises(ExportError, match="differ by"):
        model_folder.write_folder(model, tmp_path, PIXELS, Manifest("", "", ""))
    assert not list(tmp_path.iterdir())
