"""Export a Keras model to a model folder, and check that the ONNX file gives the same logits."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import FIELD
from digits.network.model import MANIFEST, Manifest, Model
from pipeline.project.errors import ExportError
from pipeline.project.files import write_bytes, write_text

ONNX_FILE = "digits.onnx"
COMPARED = 1000  # the most digits on which ONNX and Keras are compared
TOLERANCE = 1e-4  # the largest difference of ONNX and Keras, relative to the largest logit if that is over 1


def write_folder(
    model: keras.Model, folder: Path, samples: NDArray[np.uint8], manifest: Manifest
) -> Manifest:
    """Write the ONNX file and then the manifest with its name and hash; returns that manifest.

    `samples` (n, 28, 28) are real digits on which ONNX and Keras must agree within `TOLERANCE`. Raises
    `ExportError` and writes nothing if they do not.
    """
    content = onnx_bytes(model)
    done = replace(
        manifest,
        file=ONNX_FILE,
        sha256=hashlib.sha256(content).hexdigest(),
        created=manifest.created or datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with tempfile.TemporaryDirectory() as trial:
        _write(Path(trial), content, replace(done, turns=[]))  # without test-time augmentation, as in Keras
        _compare(model, Model.load(Path(trial)), samples[:COMPARED])
    _write(folder, content, done)
    return done


def _write(folder: Path, content: bytes, manifest: Manifest) -> None:
    write_bytes(folder / manifest.file, content)
    write_text(folder / MANIFEST, json.dumps(manifest.as_dict(), indent=2) + "\n")


def onnx_bytes(model: keras.Model) -> bytes:
    """Export the model to ONNX with a dynamic batch size."""
    signature = [keras.InputSpec(shape=(None, FIELD, FIELD, 1), dtype="float32", name="ink")]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras itself uses deprecated names of numpy and TensorFlow
        path = Path(folder) / ONNX_FILE
        model.export(str(path), format="onnx", verbose=False, input_signature=signature)
        return path.read_bytes()


def _compare(model: keras.Model, exported: Model, samples: NDArray[np.uint8]) -> None:
    batch = samples[..., None].astype(np.float32)
    expected = np.asarray(model(batch, training=False))
    difference = float(np.abs(exported.logits(batch) - expected).max())
    if difference > TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise ExportError(
            f"The export is not usable: the logits of ONNX and Keras differ by {difference:.2g} on digits."
        )
