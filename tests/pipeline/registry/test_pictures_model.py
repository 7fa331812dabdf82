"""The inputs and outputs of the registered model, as MLflow calls it."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from PIL import Image

from digits.network.model import Model
from digits.reader import DEFAULT_MODEL
from pipeline.registry.pictures_model import PicturesModel, _load_pyfunc
from tests.pipeline.conftest import small_test_set

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def digits() -> Pixels:
    return small_test_set(20).images


@pytest.fixture(scope="module")
def labels() -> list[int]:
    return [int(label) for label in small_test_set(20).labels]


@pytest.fixture(scope="module")
def model() -> PicturesModel:
    return _load_pyfunc(str(DEFAULT_MODEL))


def png(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def column(files: list[Any]) -> NDArray[Any]:
    """A column of files as MLflow passes it on."""
    given = np.empty(len(files), object)
    given[:] = files
    return given


def test_arrays_of_all_types_and_shapes_are_read_alike(
    model: PicturesModel, digits: Pixels, labels: list[int]
) -> None:
    expected = model.predict(digits)
    assert expected["digit"].tolist() == labels
    forms = (
        digits[..., None],
        digits.astype(np.float64),
        digits.astype(np.int64),
        digits.astype(object),  # as MLflow's server makes them of JSON
        column(list(digits)),
        {"picture": digits},
    )
    for given in forms:
        pd.testing.assert_frame_equal(model.predict(given), expected)
    assert model.predict(digits[0])["digit"].tolist() == labels[:1]
    assert len(model.predict(digits[:0])) == 0


def test_answers_are_calibrated_and_rejected_as_the_model_folder_says(
    model: PicturesModel, digits: Pixels
) -> None:
    noise = np.random.default_rng(0).integers(0, 100, (10, 28, 28)).astype(np.uint8)
    given = np.concatenate([digits, noise])
    own = Model.load(DEFAULT_MODEL)
    assert own.manifest.temperature != 1
    assert own.manifest.turns
    said = own.classify(given[..., None].astype(np.float32))
    rejected = [own.is_rejected(float(score)) for score in said.rejection]
    assert any(rejected)
    for row, out, sure in zip(model.predict(given).itertuples(), rejected, said.probabilities, strict=True):
        if out:
            assert (row.digit, row.confidence, row.rejected) == (None, None, "not_a_digit")
        else:
            assert (row.digit, row.confidence, row.rejected) == (sure.argmax(), sure.max(), None)


def test_blank_array_is_blank(model: PicturesModel) -> None:
    assert model.predict(np.zeros((1, 28, 28)))["rejected"].tolist() == ["blank"]


def test_files_of_any_size_and_polarity_as_bytes_or_base64(
    model: PicturesModel, digits: Pixels, labels: list[int]
) -> None:
    files = [png(np.kron(255 - one, np.ones((4, 4), np.uint8))) for one in digits[:4]]
    text = [base64.b64encode(file).decode() for file in files]
    wrapped = [np.array(one) for one in text]  # `instances` of MLflow's server
    for given in (files, text, wrapped):
        assert model.predict({"picture": column(given)})["digit"].tolist() == labels[:4]
    assert model.predict(column([png(np.zeros((9, 9), np.uint8))]))["rejected"].tolist() == ["blank"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.full((1, 28, 28), 0.5), "Multiply by 255"),
        (np.full((1, 28, 28), True), "Multiply by 255"),
        (np.full((2, 28, 28), -0.4), "outside 0 to 255"),
        (np.full((2, 28, 28), np.nan), "outside 0 to 255"),
        (np.full((1, 28, 28), 250, np.uint8), "bright on black"),
        (np.zeros((2, 32, 32)), r"shape \(2, 32, 32\)"),
        (np.zeros(784), r"shape \(784,\)"),
        (np.array([[1, 2], [3]], object), "different shapes"),
        (np.array([b"abc"]), "array of objects"),
        (column([b"abc"]), "Picture 0: It cannot be read as a picture"),
        (column([png(np.zeros((9, 9), np.uint8)), None]), "Picture 1: It is neither bytes nor text"),
        (column(["/etc/hostname"]), "not an image file in base64"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(
    model: PicturesModel, given: NDArray[Any], said: str
) -> None:
    with pytest.raises(MlflowException, match=said) as refused:
        model.predict(given)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"  # 400 of MLflow's server
