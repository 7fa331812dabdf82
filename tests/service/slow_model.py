"""A model that answers late, or never."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def slow(network: bytes, rounds: int) -> bytes:
    """The same network, with a loop of this many rounds before its answer."""
    model = onnx.load_from_string(network)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["go_on_still"]),
            helper.make_node("Add", ["sum", "nothing"], ["sum_still"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("round_number", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("go_on_still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_still", TensorProto.FLOAT, [1]),
        ],
    )
    graph = model.graph
    graph.node[-1].output[0] = "early"
    graph.node.extend(
        [
            helper.make_node("Loop", ["rounds", "yes", "nothing"], ["late"], body=body),
            helper.make_node("Add", ["early", "late"], ["logits"]),
        ]
    )
    constants = {"rounds": np.array(rounds), "yes": np.array(True), "nothing": np.zeros(1, np.float32)}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
