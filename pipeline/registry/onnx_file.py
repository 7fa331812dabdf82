"""An ONNX file of somebody's, taken without running anything: its operators, and weights in files beside it.

The operators are the standard's, onnxruntime's, or functions that the file itself makes of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx

from pipeline.project.errors import ExportError

LARGEST = 512 * 2**20  # bytes: more is not served
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")  # of operators that onnxruntime has itself
OLDEST, NEWEST = 9, onnx.defs.onnx_opset_version()


def load(path: Path) -> onnx.ModelProto:
    """An ONNX model whose operators onnxruntime has, all its weights in it; raises `ExportError`."""
    if not path.is_file():
        raise ExportError(f"There is no file {path}.")
    if path.stat().st_size > LARGEST:
        raise ExportError(f"{path} has more than {LARGEST // 2**20} MiB: export a smaller model.")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's own
        raise ExportError(f"{path} cannot be read as an ONNX model: {first_line(error)}.") from error
    _check_operators(path, model)
    try:  # of files in the model's own folder alone: onnx refuses other places
        onnx.load_external_data_for_model(model, str(path.parent.resolve()))
    except Exception as error:
        raise ExportError(
            f"{path} has weights in another file, which cannot be taken ({first_line(error)}): leave that"
            " beside the model, or export with external_data=False."
        ) from error
    if model.ByteSize() > LARGEST:
        raise ExportError(
            f"{path} has more than {LARGEST // 2**20} MiB with its weights: export a smaller model."
        )
    return model


def _check_operators(path: Path, model: onnx.ModelProto) -> None:
    versions = {one.domain or "ai.onnx": one.version for one in model.opset_import}
    opset = versions.get("ai.onnx")
    if opset is None or not model.graph.node:
        raise ExportError(f"{path} holds no ONNX model: it names no operators of the standard.")
    if not OLDEST <= opset <= NEWEST:
        raise ExportError(
            f"{path} is written for version {opset} of ONNX's operators, and {OLDEST} to {NEWEST} are read"
            " here: export it again with opset_version=17."
        )
    own = {(function.domain, function.name) for function in model.functions}
    graphs = [model.graph.node, *(function.node for function in model.functions)]
    for node in (node for nodes in graphs for node in _nodes(nodes)):
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise ExportError(
                f"{path} needs the operator {node.domain}.{node.op_type}, and nobody else's code is run here:"
                " export the model with ONNX's own operators."
            )


def _nodes(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Nodes, and those of the branches and loops in them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes(graph.node)


def first_line(error: Exception) -> str:
    """What an error says, without the lines that follow."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
