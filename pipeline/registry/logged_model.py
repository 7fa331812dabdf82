"""Log a model folder as an MLflow model that takes pictures and works without this project."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from numpy.typing import NDArray

import digits
from digits.network.model import MANIFEST, Manifest
from pipeline.registry import pictures_model

LOADER = Path(pictures_model.__file__)
FILES = "model"  # the folder with manifest and ONNX file
REQUIREMENTS = ("mlflow", "numpy", "onnxruntime", "opencv-python-headless", "pandas", "pillow", "pydantic")
UNUSED = ("__pycache__", "default")  # parts of the package `digits`: byte code, and the default model

SIGNATURE = ModelSignature(
    inputs=Schema(
        [TensorSpec(np.dtype(object), (-1,), pictures_model.INPUT)]
    ),  # arrays of any type and shape, and files
    outputs=Schema(
        [
            ColSpec(DataType.long, "digit", required=False),
            ColSpec(DataType.double, "confidence", required=False),
            ColSpec(DataType.string, "rejected", required=False),
        ]
    ),
)


def log(folder: Path, example: NDArray[np.uint8]) -> ModelInfo:
    """Log a model folder as the active run's model, with an unchanged copy of the ONNX file.

    `example` (n, 28, 28): digits for the model's input example, so that people can try the model.
    """
    manifest = Manifest.load(folder)
    with tempfile.TemporaryDirectory() as made:
        files, code = Path(made, FILES), Path(made, digits.__name__)
        files.mkdir()
        for name in (MANIFEST, manifest.file):
            shutil.copyfile(folder / name, files / name)
        shutil.copytree(Path(digits.__file__).parent, code, ignore=shutil.ignore_patterns(*UNUSED))
        logged: ModelInfo = mlflow.pyfunc.log_model(
            name=digits.__name__,
            loader_module=LOADER.stem,
            data_path=str(files),
            code_paths=[str(code), str(LOADER)],
            signature=SIGNATURE,
            input_example=example,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            metadata=metadata(manifest),
        )
        return logged


def metadata(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest's entries, without the run's metrics and the version, which is not known yet."""
    return {name: value for name, value in manifest.as_dict().items() if name not in ("metrics", "version")}
