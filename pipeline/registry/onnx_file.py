"""Load a user's ONNX file without running code: check its operators, and load external weights.

Allowed operators are those of ONNX and onnxruntime, and functions that the file defines with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx

from pipeline.project.errors import ExportError

LARGEST = 512 * 2**20  # bytes; larger models are refused
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")  # domains of onnxruntime's built-in operators
OLDEST, NEWEST = 9, onnx.defs.onnx_opset_version()


def load(path: Path) -> onnx.ModelProto:
    """Load an ONNX model with allowed operators, including all weights; raises `ExportError`."""
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.stat().st_size > LARGEST:
        raise ExportError(f"{path} is larger than {LARGEST // 2**20} MiB. Export a smaller model.")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's errors
        raise ExportError(f"{path} cannot be read as an ONNX model: {first_line(error)}.") from error
    _check_operators(path, model)
    try:  # only files in the model's own folder; onnx refuses others
        onnx.load_external_data_for_model(model, str(path.parent.resolve()))
    except Exception as error:
        raise ExportError(
            f"{path} has weights in another file, which cannot be loaded ({first_line(error)}). Keep that"
            " file in the folder of the model, or export with external_data=False."
        ) from error
    if model.ByteSize() > LARGEST:
        raise ExportError(
            f"{path} is larger than {LARGEST // 2**20} MiB with its weights. Export a smaller model."
        )
    return model


def _check_operators(path: Path, model: onnx.ModelProto) -> None:
    versions = {one.domain or "ai.onnx": one.version for one in model.opset_import}
    opset = versions.get("ai.onnx")
    if opset is None or not model.graph.node:
        raise ExportError(f"{path} is not an ONNX model: it uses no standard operators.")
    if not OLDEST <= opset <= NEWEST:
        raise ExportError(
            f"{path} uses version {opset} of ONNX's operators, but only {OLDEST} to {NEWEST} are supported."
            " Export it again with opset_version=17."
        )
    own = {(function.domain, function.name) for function in model.functions}
    graphs = [model.graph.node, *(function.node for function in model.functions)]
    for node in (node for nodes in graphs for node in _nodes(nodes)):
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise ExportError(
                f"{path} needs the operator {node.domain}.{node.op_type}, but custom operators are not run."
                " Export the model with ONNX's own operators."
            )


def _nodes(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield nodes, including those in branches and loops."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes(graph.node)


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without a full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
