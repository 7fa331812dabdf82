from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pipeline.mnist.dataset import Digits, data_sha256
from pipeline.project.errors import DataError


@pytest.fixture
def digits() -> Digits:
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    return Digits(images, np.arange(20, dtype=np.uint8) % 10)


def test_digits_come_back_from_their_file(digits: Digits, tmp_path: Path) -> None:
    digits.save(tmp_path, "train")
    loaded = Digits.load(tmp_path, "train")
    assert np.array_equal(loaded.images, digits.images)
    assert np.array_equal(loaded.labels, digits.labels)
    assert loaded.images.dtype == loaded.labels.dtype == np.uint8
    assert [path.name for path in tmp_path.iterdir()] == ["train.npz"]


def test_the_same_digits_give_the_same_bytes(digits: Digits, tmp_path: Path) -> None:
    for name in ("one", "other"):
        digits.save(tmp_path / name, "train")
    one, other = ((tmp_path / name / "train.npz").read_bytes() for name in ("one", "other"))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def test_sha256_depends_on_images_and_labels(digits: Digits) -> None:
    changed_image, changed_label = digits.images.copy(), digits.labels.copy()
    changed_image[3, 4, 5] ^= 1
    changed_label[3] = 9
    hashes = {
        digits.sha256(),
        Digits(changed_image, digits.labels).sha256(),
        Digits(digits.images, changed_label).sha256(),
    }
    assert len(hashes) == 3
    assert Digits(digits.images.copy(), digits.labels.copy()).sha256() == digits.sha256()


def test_per_class_counts_absent_digits_too() -> None:
    digits = Digits(np.zeros((3, 28, 28), np.uint8), np.array([1, 1, 7], np.uint8))
    assert digits.per_class() == [0, 2, 0, 0, 0, 0, 0, 1, 0, 0]
    assert digits.total == 3


def test_load_says_what_makes_a_missing_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"validation\.npz\. `dvc repro preprocess`"):
        Digits.load(tmp_path, "validation")


def test_load_refuses_every_cut_of_a_file(digits: Digits, tmp_path: Path) -> None:
    digits.save(tmp_path, "train")
    path = tmp_path / "train.npz"
    content = path.read_bytes()
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"train\.npz is damaged"):
            Digits.load(tmp_path, "train")


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_data_sha256_without_a_summary_says_what_makes_it(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "summary.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="dvc repro -f preprocess"):
        data_sha256(tmp_path)
