from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

Make = Callable[..., Path]


def _network(outputs: int, side: int = 28) -> bytes:
    """A tiny network: logit k of a digit grows with the ink in two of the field's 28 columns."""
    weights = np.zeros((side * side, outputs), np.float32)
    for k in range(10):
        columns = np.zeros((side, side), np.float32)
        columns[:, 4 + 2 * k : 6 + 2 * k] = 0.01
        weights[:, k] = columns.ravel()
    nodes = [
        helper.make_node("Reshape", ["image", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "columns",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", side, side, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [
            numpy_helper.from_array(np.array([-1, side * side], np.int64), "shape"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture
def make_folder(tmp_path: Path) -> Make:
    """Makes a model folder with a tiny network in it; keywords change its manifest."""

    def make(outputs: int = 11, side: int = 28, content: bytes | None = None, **entries: object) -> Path:
        content = _network(outputs, side) if content is None else content
        sha256 = hashlib.sha256(content).hexdigest()
        (tmp_path / "digits.onnx").write_bytes(content)
        manifest = {"file": "digits.onnx", "sha256": sha256, "created": "2026-01-01T00:00:00+00:00"} | entries
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return tmp_path

    return make
