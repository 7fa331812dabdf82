"""Export of ONNX models from PyTorch, and the messages for models that cannot be exported."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from digits.network.contract import FIELD
from digits.network.model import Model
from pipeline import export
from pipeline.mnist.dataset import Digits
from pipeline.project.paths import PROCESSED
from tests.conftest import SMALL
from tests.pipeline.conftest import small_test_set

MEAN, DEVIATION = 0.1307, 0.3081
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def validation() -> Digits:
    return small_test_set(200)


@pytest.fixture(scope="module")
def weights() -> tuple[Floats, Floats]:
    """Weights (784, 10) and biases (10,) of a linear model, normalised as in torchvision's examples."""
    with gzip.open(SMALL / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, FIELD * FIELD)
    with gzip.open(SMALL / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    inputs = np.hstack([(pixels / 255 - MEAN) / DEVIATION, np.ones((len(pixels), 1))])
    wanted = np.where(labels[:, None] == np.arange(10), 5.0, -5.0)
    ridge = inputs.T @ inputs + 300 * np.eye(inputs.shape[1])
    solved = np.linalg.solve(ridge, inputs.T @ wanted).astype(np.float32)
    return solved[:-1], solved[-1]


class Made:
    """Builds an ONNX file like those that `torch.onnx.export` writes for a small network."""

    def __init__(self, weights: tuple[Floats, Floats]) -> None:
        self.shape: tuple[int | str | None, ...] = ("n", 1, FIELD, FIELD)
        self.kind = TensorProto.FLOAT
        self.opset = 17
        self.flatten = helper.make_node("Flatten", ["input"], ["flat"], axis=1)
        self.first: list[onnx.NodeProto] = []
        self.last = [helper.make_node("Gemm", ["flat", "weight", "bias"], ["output"])]
        self.weights: dict[str, NDArray[Any]] = dict(zip(("weight", "bias"), weights, strict=True))
        self.domains: tuple[str, ...] = ()

    def probabilities(self) -> None:
        self.last[0].output[0] = "logits"
        self.last.append(helper.make_node("Softmax", ["logits"], ["output"], axis=1))

    def model(self) -> onnx.ModelProto:
        dtype = helper.tensor_dtype_to_np_dtype(self.kind)
        outputs = self.weights["bias"].size
        graph = helper.make_graph(
            [*self.first, self.flatten, *self.last],
            "main_graph",
            [helper.make_tensor_value_info("input", self.kind, self.shape)],
            [helper.make_tensor_value_info("output", self.kind, [self.shape[0], outputs])],
            [
                numpy_helper.from_array(value.astype(dtype) if value.dtype == np.float32 else value, name)
                for name, value in self.weights.items()
            ],
        )
        opsets = [
            helper.make_opsetid("", self.opset),
            *(helper.make_opsetid(name, 1) for name in self.domains),
        ]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="pytorch")

    def save(self, path: str = "own.onnx") -> None:
        Path(path).write_bytes(self.model().SerializeToString())


@pytest.fixture
def made(weights: tuple[Floats, Floats]) -> Made:
    return Made(weights)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run the command in a folder without data."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["export", *map(str, arguments)])
        return export.main()

    return call


def expected(weights: tuple[Floats, Floats], digits: Digits) -> Floats:
    flat = digits.images.reshape(-1, FIELD * FIELD)
    return np.asarray((flat / np.float32(255) - MEAN) / DEVIATION @ weights[0] + weights[1], np.float32)


def logits(digits: Digits) -> Floats:
    """Return the outputs of the exported model."""
    return Model.load(Path("out")).logits(digits.images[..., None].astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        (("n", 1, FIELD, FIELD), "channel first"),
        (("n", FIELD, FIELD, 1), "channel last"),
        (("n", FIELD, FIELD), "without a channel"),
        (("n", FIELD * FIELD), "flat"),
        ((1, 1, FIELD, FIELD), "channel first"),  # exported without dynamic_axes
        (("n", None, "height", "width"), "channel first"),  # none of its lengths shows the layout
    ],
)
def test_layout_is_told_apart_and_the_scale_found_with_validation_digits(
    made: Made,
    run: Callable[..., int],
    validation: Digits,
    weights: tuple[Floats, Floats],
    shape: tuple[int | str | None, ...],
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    validation.save(PROCESSED, "validation")
    made.shape = shape
    made.save()
    assert run("own.onnx", "out") == 0
    assert np.allclose(logits(validation), expected(weights, validation), atol=1e-3)
    said = capsys.readouterr().out
    assert f"out has own.onnx ({named}; paper is -0.4242 and full ink is 2.821" in said
    assert "of the validation digits" in said
    assert {path.name for path in Path("out").iterdir()} == {"digits.onnx", "manifest.json"}


@pytest.mark.parametrize(("full_ink", "text"), [(1, "full ink is 1,"), (255, "full ink is 255,")])
def test_scale_of_plain_pixels_is_found(
    made: Made,
    run: Callable[..., int],
    validation: Digits,
    weights: tuple[Floats, Floats],
    full_ink: int,
    text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same model with another input scale, which gives the same logits."""
    validation.save(PROCESSED, "validation")
    weight, bias = weights
    of_pixels = weight / (DEVIATION * full_ink)
    moved = bias - weight.sum(axis=0) * np.float32(MEAN / DEVIATION)
    made.weights = {"weight": of_pixels, "bias": moved}
    made.save()
    assert run("own.onnx", "out") == 0
    assert np.allclose(logits(validation), expected(weights, validation), atol=1e-3)
    assert text in capsys.readouterr().out


def test_without_digits_the_scale_is_an_option_or_a_guess_that_is_said(
    made: Made,
    run: Callable[..., int],
    validation: Digits,
    weights: tuple[Floats, Floats],
    capsys: pytest.CaptureFixture[str],
) -> None:
    made.save()
    assert run("own.onnx", "out", "--normalised", MEAN, DEVIATION) == 0
    assert np.allclose(logits(validation), expected(weights, validation), atol=1e-3)
    assert "guess" not in capsys.readouterr().out
    assert run("own.onnx", "out") == 0
    assert "full ink is 1" in (said := capsys.readouterr().out)
    assert "its scale is a guess" in said


def test_probabilities_become_logits(
    made: Made, run: Callable[..., int], validation: Digits, weights: tuple[Floats, Floats]
) -> None:
    made.probabilities()
    made.save()
    assert run("own.onnx", "out", "--normalised", MEAN, DEVIATION) == 0
    raised = np.exp(expected(weights, validation))
    given = Model.load(Path("out")).classify(validation.images[..., None].astype(np.float32)).probabilities
    assert np.allclose(given, raised / raised.sum(axis=1, keepdims=True), atol=1e-4)


def test_eleven_outputs_and_half_precision(made: Made, run: Callable[..., int], validation: Digits) -> None:
    weight, bias = made.weights["weight"], made.weights["bias"]
    made.kind = TensorProto.FLOAT16
    made.weights = {"weight": np.hstack([weight, weight[:, :1]]), "bias": np.append(bias, np.float32(0))}
    made.save()
    assert run("own.onnx", "out") == 0
    assert logits(validation).shape == (validation.total, 11)


def test_weights_in_a_file_beside_the_model_are_taken_into_it(
    made: Made, run: Callable[..., int], validation: Digits, weights: tuple[Floats, Floats]
) -> None:
    model = made.model()
    onnx.save(model, "own.onnx", save_as_external_data=True, location="own.onnx.data", size_threshold=0)
    assert run("own.onnx", "out", "--normalised", MEAN, DEVIATION) == 0
    Path("own.onnx.data").unlink()
    assert np.allclose(logits(validation), expected(weights, validation), atol=1e-3)


@pytest.mark.parametrize("outside", ["../secret", "/etc/hostname", "link", "missing"])
def test_weights_in_other_places_are_not_read(
    made: Made, run: Callable[..., int], tmp_path: Path, outside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path.parent / "secret").write_bytes(bytes(4 * FIELD * FIELD * 10))
    (tmp_path / "link").symlink_to("../secret")
    model = made.model()
    for tensor in model.graph.initializer:
        onnx.external_data_helper.set_external_data(tensor, outside)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
    Path("own.onnx").write_bytes(model.SerializeToString())
    assert run("own.onnx", "out") == 1
    assert "has weights in another file, which cannot be loaded" in capsys.readouterr().err
    assert not Path("out").exists()


def old_opset(made: Made) -> None:
    made.opset = 7


def new_opset(made: Made) -> None:
    made.opset = 99


def custom_operator(made: Made) -> None:
    made.domains = ("mine",)
    made.first = [helper.make_node("Spy", ["input"], ["seen"], domain="mine")]
    made.flatten.input[0] = "seen"


def one_picture_alone(made: Made) -> None:
    made.shape = (1, 1, FIELD, FIELD)
    made.flatten = helper.make_node("Reshape", ["input", "shape"], ["flat"])
    made.weights["shape"] = np.array([1, FIELD * FIELD])


def larger(made: Made) -> None:
    made.shape = ("n", 1, 32, 32)


def colours(made: Made) -> None:
    made.shape = ("n", 3, FIELD, FIELD)


def letters(made: Made) -> None:
    made.weights = {"weight": np.zeros((FIELD * FIELD, 26), np.float32), "bias": np.zeros(26, np.float32)}


def bytes_in(made: Made) -> None:
    made.kind = TensorProto.INT32


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (old_opset, "version 7 of ONNX's operators"),
        (new_opset, "version 99 of ONNX's operators"),
        (custom_operator, "needs the operator mine.Spy"),
        (one_picture_alone, "for a single picture, export it again: torch.onnx.export"),
        (larger, r"takes (1, 32, 32) per picture, but must take one of (1, 28, 28)"),
        (colours, "takes (3, 28, 28) per picture"),
        (letters, "returns (26,) per picture"),
        (bytes_in, "takes int32, but must take one of float32"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(
    made: Made,
    run: Callable[..., int],
    spoil: Callable[[Made], None],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(made)
    made.save()
    assert run("own.onnx", "out") == 1
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file own.onnx"),
        (b"no model", "own.onnx cannot be read as an ONNX model"),
        (b"", "is not an ONNX model"),
    ],
)
def test_file_that_is_no_model(
    run: Callable[..., int], content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("own.onnx").write_bytes(content)
    assert run("own.onnx", "out") == 1
    assert said in capsys.readouterr().err
