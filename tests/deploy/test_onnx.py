"""Triton's description of the network agrees with the ONNX file of the default model."""

from __future__ import annotations

import re

import onnxruntime

from digits.reader import DEFAULT_MODEL
from tests.deploy.rendered import KSERVE, read

REPOSITORY = KSERVE / "model-repository"
TYPES = {"tensor(float)": "TYPE_FP32"}


def described(kind: str) -> tuple[str, str, list[int]]:
    """Name, type and dimensions of the one input or output in config.pbtxt."""
    text = (REPOSITORY / "digits" / "config.pbtxt").read_text(encoding="utf-8")
    (found,) = re.findall(
        rf'^{kind} \[ {{ name: "(.*?)" data_type: (\w+) dims: \[ (.*?) \] }} \]$', text, re.MULTILINE
    )
    name, datatype, dims = found
    return name, datatype, [int(one) for one in dims.split(",")]


def test_input_and_output_are_those_of_the_file() -> None:
    session = onnxruntime.InferenceSession(DEFAULT_MODEL / "digits.onnx", providers=["CPUExecutionProvider"])
    for kind, (tensor,) in (("input", session.get_inputs()), ("output", session.get_outputs())):
        rows, *dims = tensor.shape
        assert isinstance(rows, str), "Triton's max_batch_size needs any number of rows"
        assert described(kind) == (tensor.name, TYPES[tensor.type], dims)


def test_names_are_those_of_folder_and_runtime() -> None:
    text = (REPOSITORY / "digits" / "config.pbtxt").read_text(encoding="utf-8")
    assert 'name: "digits"\n' in text, "Triton wants the folder's name"
    (inference,) = read(KSERVE / "onnx.yaml")
    model = inference["spec"]["predictor"]["model"]
    assert (model["modelFormat"]["name"], model["runtime"], model["protocolVersion"]) == (
        "onnx",
        "kserve-tritonserver",
        "v2",
    )
    assert model["storageUri"].endswith(f"/{REPOSITORY.name}")
