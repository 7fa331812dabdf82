from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.errors import ModelError
from digits.network.model import Manifest, Model, rejection_scores

Make = Callable[..., Path]


def _columns(*places: int) -> NDArray[np.float32]:
    batch = np.zeros((len(places), 28, 28, 1), np.float32)
    for row, place in enumerate(places):
        batch[row, :, 4 + 2 * place : 6 + 2 * place] = 255
    return batch


def test_load_refuses_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"needs a manifest\.json"):
        Model.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"file": "x.onnx"}'])
def test_load_refuses_a_broken_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json"):
        Model.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("turns", 6.0),
        ("turns", None),
        ("turns", "-6"),
        ("turns", [-6.0, "6"]),
        ("turns", [float("inf")]),
        ("turns", [True]),
        ("temperature", "1"),
        ("temperature", None),
        ("temperature", float("nan")),
        ("temperature", 10**400),
        ("rejection_threshold", "none"),
        ("rejection_threshold", float("-inf")),
        ("rejection_threshold", [1.0]),
        ("rejection_threshold", 1e9),
        ("temperature", -1),
        ("temperature", 0),
        ("temperature", 1e-38),
        ("turns", [181.0]),
        ("turns", [0.0] * 17),
        ("version", 5),
        ("version", "1" * 1001),
        ("file", None),
        ("file", "a\0b"),
        ("sha256", "abc"),
        ("metrics", {"accuracy": "high"}),
        ("format", 2),
    ],
)
def test_load_refuses_a_manifest_with_a_wrong_entry(make_folder: Make, name: str, value: object) -> None:
    with pytest.raises(ModelError, match=name):
        Model.load(make_folder(**{name: value}))


def test_a_wrong_entry_is_named_with_what_to_do(make_folder: Make) -> None:
    with pytest.raises(ModelError) as refusal:
        Model.load(make_folder(temperature=-1))
    assert str(refusal.value).endswith(
        "manifest.json is not a manifest that this version can read (`temperature`: Input should be greater "
        "than or equal to 0.01). Promote the model again with the same version of the project."
    )


def test_load_takes_whole_numbers_and_no_threshold(make_folder: Make) -> None:
    manifest = Model.load(make_folder(turns=[-6, 6], temperature=2, rejection_threshold=None)).manifest
    assert manifest.turns == [-6, 6]


def test_load_refuses_a_file_outside_the_folder(make_folder: Make) -> None:
    with pytest.raises(ModelError, match="must be in the model's folder"):
        Model.load(make_folder(file="../digits.onnx"))


def test_load_refuses_a_missing_file(make_folder: Make) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(make_folder(file="other.onnx"))


def test_load_refuses_a_changed_file(make_folder: Make) -> None:
    with pytest.raises(ModelError, match="not the file"):
        Model.load(make_folder(sha256="0" * 64))


def test_load_refuses_what_is_no_onnx(make_folder: Make) -> None:
    with pytest.raises(ModelError, match="not an ONNX"):
        Model.load(make_folder(content=b"not a network"))


def test_load_refuses_other_shapes(make_folder: Make) -> None:
    with pytest.raises(ModelError, match="does not give"):
        Model.load(make_folder(outputs=12))
    with pytest.raises(ModelError, match="does not take"):
        Model.load(make_folder(side=24))


def test_manifest_ignores_entries_it_does_not_know(make_folder: Make) -> None:
    manifest = Manifest.load(make_folder(version="7", colour="green"))
    assert manifest.version == "7"
    assert manifest.as_dict()["temperature"] == 1.0


def test_classify_gives_probabilities(make_folder: Make) -> None:
    answer = Model.load(make_folder()).classify(_columns(3, 8))
    assert answer.probabilities.shape == (2, 10)
    assert answer.probabilities.argmax(axis=1).tolist() == [3, 8]
    assert answer.probabilities.sum(axis=1) == pytest.approx([1, 1])


def test_a_batch_larger_than_the_network_gets_at_once_is_answered_in_order(make_folder: Make) -> None:
    answer = Model.load(make_folder()).classify(_columns(*[3, 8, 5] * 200))
    assert answer.probabilities.argmax(axis=1).tolist() == [3, 8, 5] * 200
    assert len(Model.load(make_folder()).classify(_columns()[:0]).probabilities) == 0


def test_temperature_softens_without_changing_the_answer(make_folder: Make) -> None:
    sharp = Model.load(make_folder()).classify(_columns(3) / np.float32(50)).probabilities[0]
    soft = Model.load(make_folder(temperature=3.0)).classify(_columns(3) / np.float32(50)).probabilities[0]
    assert soft.argmax() == sharp.argmax() == 3
    assert soft.max() < sharp.max()


def test_rejection_scores_are_log_odds() -> None:
    logits = np.log(np.array([[1.0] * 10 + [30.0], [1.0] * 10 + [1.0]], np.float32))
    assert rejection_scores(logits) == pytest.approx([np.log(3), np.log(0.1)], abs=1e-5)
    assert rejection_scores(logits[:, :10]).tolist() == [0, 0]


def test_rejection_scores_survive_large_logits() -> None:
    assert np.isfinite(rejection_scores(np.full((1, 11), 900.0, np.float32))).all()


@pytest.mark.parametrize(
    ("threshold", "score", "rejected"), [(None, 99.0, False), (1.0, 1.5, True), (1.0, 0.5, False)]
)
def test_is_rejected_follows_the_threshold(
    make_folder: Make, threshold: float | None, score: float, rejected: bool
) -> None:
    model = Model.load(make_folder(rejection_threshold=threshold))
    assert model.is_rejected(score) is rejected
    assert model.is_rejected(score, on_scan=True) is rejected


def test_is_rejected_on_a_scan_follows_its_own_threshold(make_folder: Make) -> None:
    model = Model.load(make_folder(rejection_threshold=1.0, scan_rejection_threshold=2.0))
    assert (model.is_rejected(1.5), model.is_rejected(1.5, on_scan=True)) == (True, False)
    assert model.is_rejected(2.5, on_scan=True)
