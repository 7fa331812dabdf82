"""Adapt a user's own ONNX model, such as an export from PyTorch, to this project's contract."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from digits.network.contract import CLASSES, FIELD
from digits.network.model import MANIFEST, Manifest, Model
from digits.network.probabilities import log_sum_exp
from pipeline.mnist.dataset import Digits
from pipeline.project.errors import ExportError
from pipeline.project.files import write_bytes, write_text
from pipeline.registry.onnx_file import first_line

ONNX_FILE = "digits.onnx"
KINDS = {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64", TensorProto.FLOAT16: "float16"}
LEAST = 1e-12  # probability; its logarithm is the lowest logit for a model that returns probabilities
OWN = "digits/"  # prefix of the names of nodes that are added to a model
INK, LOGITS = OWN + "ink", OWN + "logits"
TRIED = 1000  # the most digits on which layouts and scales are compared
NOISE = 3  # pictures; a single one would not show that a model takes only one

AGAIN = 'torch.onnx.export(model, torch.zeros(1, 1, 28, 28), "model.onnx", dynamic_axes={...: {0: "n"}})'


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of a model's input without the batch, and its name."""

    shape: tuple[int, ...]
    name: str


LAYOUTS = (
    Layout((1, FIELD, FIELD), "channel first"),
    Layout((FIELD, FIELD, 1), "channel last"),
    Layout((FIELD, FIELD), "without a channel"),
    Layout((FIELD * FIELD,), "flat"),
    Layout((1, FIELD * FIELD), "flat, with a channel"),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of a model's input, which is (ink / 255 - mean) / deviation."""

    mean: float
    deviation: float

    def __str__(self) -> str:
        paper, full = -self.mean / self.deviation, (1 - self.mean) / self.deviation
        return f"paper is {paper:.4g} and full ink is {full:.4g}"

    @classmethod
    def of_full_ink(cls, highest: float) -> Scale:
        """Return the scale with 0 for paper and `highest` for full ink."""
        return cls(0, 1 / highest)


USUAL = (
    Scale.of_full_ink(1),
    Scale(0.1307, 0.3081),  # as in PyTorch's examples, the mean and deviation of MNIST
    Scale(0.5, 0.5),
    Scale.of_full_ink(255),
)


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model that fulfils the contract, with the layout and scale of the user's model."""

    model: onnx.ModelProto
    layout: Layout
    scale: Scale

    def __str__(self) -> str:
        return f"{self.layout.name}; {self.scale}"


def adapt(model: onnx.ModelProto, scale: Scale | None, digits: Digits | None) -> Adapted:
    """Return a model from float32 (n, 28, 28, 1), 0..255, to logits (n, 10 or 11); raises `ExportError`.

    The function tries all layouts that fit the model's input, and all `USUAL` scales if `scale` is None. It
    chooses those with the lowest loss on `digits`. Without `digits`, it chooses the first that run.
    """
    found: list[Adapted] = []
    failed: list[ExportError] = []
    for layout in layouts(model):
        for tried in USUAL if scale is None else (scale,):
            try:
                found.append(Adapted(_adapted(model, layout, tried), layout, tried))
            except ExportError as error:
                failed.append(error)
    if not found:
        raise failed[0]
    if digits is None or len(found) == 1:
        return found[0]
    batch = digits.images[:TRIED, ..., None].astype(np.float32)
    return min(found, key=lambda one: loss(run(one.model, batch), digits.labels[:TRIED]))


def write_folder(model: onnx.ModelProto, folder: Path) -> Manifest:
    """Write an adapted model to a model folder; raises `ModelError` before writing if it cannot be loaded."""
    content = model.SerializeToString()
    sha256 = hashlib.sha256(content).hexdigest()
    manifest = Manifest(ONNX_FILE, sha256, datetime.now(UTC).isoformat(timespec="seconds"))
    with tempfile.TemporaryDirectory() as trial:
        for place in (Path(trial), folder):
            write_bytes(place / manifest.file, content)
            write_text(place / MANIFEST, json.dumps(manifest.as_dict(), indent=2) + "\n")
            Model.load(place)
    return manifest


def layouts(model: onnx.ModelProto) -> list[Layout]:
    """Return the layouts that fit the model's input; raises `ExportError` if there are none."""
    value = _only_input(model)
    kind = value.type.tensor_type.elem_type
    if kind not in KINDS:
        told = TensorProto.DataType.Name(kind).lower()
        raise ExportError(f"The model takes {told}, but must take one of {', '.join(KINDS.values())}.")
    if not value.type.tensor_type.HasField("shape"):
        return list(LAYOUTS)
    lengths = [dim.dim_value or None for dim in value.type.tensor_type.shape.dim]
    found = [
        layout
        for layout in LAYOUTS
        if len(lengths) == 1 + len(layout.shape)
        and all(has in (None, wants) for has, wants in zip(lengths[1:], layout.shape, strict=True))
    ]
    if not found:
        shape = ", ".join("?" if length is None else str(length) for length in lengths[1:])
        wanted = ", ".join(str(layout.shape) for layout in LAYOUTS[:4])
        raise ExportError(f"The model takes ({shape}) per picture, but must take one of {wanted}.")
    return found


def _only_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    weights = {tensor.name for tensor in model.graph.initializer}  # old files list these among the inputs
    inputs: list[onnx.ValueInfoProto] = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ExportError(
            f"The model has {len(inputs)} inputs and {len(model.graph.output)} outputs, but must have one of"
            " each, a picture and 10 numbers."
        )
    return inputs[0]


def _adapted(model: onnx.ModelProto, layout: Layout, scale: Scale) -> onnx.ModelProto:
    """Return a model from float32 (n, 28, 28, 1), 0..255, to logits (n, 10 or 11).

    Raises `ExportError` if the model does not run, takes only one picture, or returns another shape.
    """
    logits = _wrapped(model, layout, scale)
    noise = np.random.default_rng(0).uniform(0, 255, (NOISE, FIELD, FIELD, 1)).astype(np.float32)
    given = run(logits, noise)
    if given.shape not in ((NOISE, CLASSES), (NOISE, CLASSES + 1)):
        raise ExportError(
            f"The model returns {given.shape[1:]} per picture, but must return 10 numbers (or 11, the last"
            ' for "not a digit").'
        )
    probabilities = bool((given >= 0).all() and np.allclose(given.sum(axis=1), 1, atol=1e-3))
    return _wrapped(model, layout, scale, given.shape[1], probabilities=probabilities)


def _wrapped(
    model: onnx.ModelProto,
    layout: Layout,
    scale: Scale,
    outputs: int | None = None,
    *,
    probabilities: bool = False,
) -> onnx.ModelProto:
    """Add nodes that prepare the model's input, and nodes that convert its output to float32 logits."""
    wrapped = onnx.ModelProto()
    wrapped.CopyFrom(model)
    graph = wrapped.graph
    given, gives = _only_input(model), graph.output[0]
    kind = given.type.tensor_type.elem_type
    before = [
        helper.make_node("Mul", [INK, OWN + "factor"], [OWN + "scaled"]),
        helper.make_node("Add", [OWN + "scaled", OWN + "shift"], [OWN + "shifted"]),
        helper.make_node("Reshape", [OWN + "shifted", OWN + "shape"], [OWN + "shaped"]),
        helper.make_node("Cast", [OWN + "shaped"], [given.name], to=kind),
    ]
    after = [
        helper.make_node("Cast", [gives.name], [OWN + "float"], to=TensorProto.FLOAT),
        helper.make_node("Max", [OWN + "float", OWN + "least"], [OWN + "above 0"]),
        helper.make_node("Log", [OWN + "above 0"], [LOGITS]),
    ]
    if not probabilities:
        after = [helper.make_node("Cast", [gives.name], [LOGITS], to=TensorProto.FLOAT)]
    constants = {
        "factor": np.float32(1 / (255 * scale.deviation)),
        "shift": np.float32(-scale.mean / scale.deviation),
        "shape": np.array([-1, *layout.shape], np.int64),  # with one channel, a reshape may place it anywhere
        "least": np.float32(LEAST),
    }
    nodes = [*before, *graph.node, *after]
    for field in (graph.node, graph.input, graph.output, graph.value_info):  # value_info may fix the batch
        del field[:]
    graph.node.extend(nodes)
    ink: list[str | int | None] = ["n", FIELD, FIELD, 1]
    logits: list[str | int | None] = ["n", outputs]
    graph.input.append(helper.make_tensor_value_info(INK, TensorProto.FLOAT, ink))
    graph.output.append(helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, logits))
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), OWN + name) for name, value in constants.items()
    )
    wrapped.ir_version = max(wrapped.ir_version, 8)  # older ones list weights among the inputs
    return wrapped


def run(model: onnx.ModelProto, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a model with one input and one output; raises `ExportError` if it does not run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # the reason is in the exception
    try:
        content = model.SerializeToString()
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0])
    except Exception as error:  # onnxruntime's own errors share no public base class
        raise ExportError(
            f"onnxruntime cannot run the model on {len(batch)} pictures ({first_line(error)}). If it was"
            f" exported for a single picture, export it again: {AGAIN}."
        ) from error


def loss(logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the mean of -log p(label), which distinguishes scales better than accuracy does."""
    if not np.isfinite(logits).all():
        return float("inf")
    ten = logits[:, :CLASSES]
    return float((log_sum_exp(ten) - ten[np.arange(len(ten)), labels]).mean())
