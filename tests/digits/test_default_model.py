"""The model in the package is small, follows the contract, and is as good as its manifest says."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digits import DEFAULT_MODEL, Reader
from digits.network.contract import INPUT_CONTRACT
from digits.reader import CARD, CHAMPION, champion_or_default
from tests.behaviour.drawing import drawing, picture

SMALL = Path(__file__).resolve().parents[1] / "data" / "mnist-small"


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


def values(name: str, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress((SMALL / f"{name}.gz").read_bytes()), np.uint8, offset=header)


def test_default_model_says_what_it_is(reader: Reader) -> None:
    manifest = reader.model.manifest
    assert manifest.version == "default"
    assert manifest.input == INPUT_CONTRACT
    assert len(manifest.git_commit) == 40, "of a clean checkout"
    assert len(manifest.data_sha256) == 64
    assert manifest.rejection_threshold is not None


def test_default_model_promises_the_figures_of_the_readme(reader: Reader) -> None:
    metrics = reader.model.manifest.metrics
    assert metrics["test_accuracy"] >= 0.996
    assert metrics["canvas_accuracy"] >= 0.985
    assert metrics["reject_auroc"] >= 0.999


def test_default_model_is_small() -> None:
    names = {path.name for path in DEFAULT_MODEL.iterdir()}
    assert names == {"manifest.json", "digits.onnx", "card.html", "drift.json"}
    assert sum(path.stat().st_size for path in DEFAULT_MODEL.iterdir()) <= 2**20


def test_default_model_has_the_card_of_its_file_and_a_small_one(reader: Reader) -> None:
    card = (DEFAULT_MODEL / CARD).read_text(encoding="utf-8")
    assert f'<meta name="model-sha256" content="{reader.model.manifest.sha256}">' in card
    assert len(card) < 200_000


def test_default_model_reads_test_images_that_are_in_git(reader: Reader) -> None:
    images = values("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1).astype(np.float32)
    answers = reader.model.classify(images).probabilities.argmax(axis=1)
    assert (answers == values("t10k-labels-idx1-ubyte", 8)).mean() >= 0.985


@pytest.mark.parametrize("digit", "0123456789")
def test_default_model_reads_what_is_drawn(reader: Reader, digit: str) -> None:
    assert reader.predict(picture(drawing(digit))).digit == int(digit)


def test_champion_goes_before_the_default_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert champion_or_default() == DEFAULT_MODEL
    CHAMPION.mkdir(parents=True)
    assert champion_or_default() == DEFAULT_MODEL, "an empty folder is no champion"
    (CHAMPION / "manifest.json").touch()
    assert champion_or_default() == CHAMPION
