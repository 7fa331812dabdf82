from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline import preprocess
from pipeline.mnist.accepted import SIDES
from pipeline.mnist.dataset import SPLITS, Digits, data_sha256
from pipeline.mnist.idx import encode_idx
from pipeline.preprocess import (
    TEST_FILES,
    TRAIN_FILES,
    check_disjoint,
    read_digits,
    split,
    without_repeats,
)
from pipeline.project.errors import DataError, ParameterError

Change = Callable[[NDArray[np.uint8], NDArray[np.uint8]], tuple[NDArray[np.uint8], NDArray[np.uint8]]]

DRAWN = {"prototypes": 0.2, "redrawn": 0.1, "negatives": 0.1, "spoilt": 0.1, "scans": 0.1}


def make_digits(per_class: int, seed: int) -> Digits:
    labels = np.tile(np.arange(10, dtype=np.uint8), per_class)
    return Digits(np.random.default_rng(seed).integers(0, 256, (len(labels), 28, 28), np.uint8), labels)


def write_raw(files: tuple[str, str], digits: Digits) -> None:
    for name, values in zip(files, digits, strict=True):
        (Path("data/raw") / name).write_bytes(encode_idx(values))


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder with 300 + 100 synthetic digits in data/raw, as the current folder."""
    monkeypatch.setattr(preprocess, "end_with_parent", lambda: None)  # it would change how these tests end
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    write_raw(TRAIN_FILES, make_digits(30, seed=1))
    write_raw(TEST_FILES, make_digits(10, seed=2))
    return tmp_path


def contents(digits: Digits) -> set[bytes]:
    return {image.tobytes() for image in digits.images}


@pytest.mark.usefixtures("raw")
def test_preprocess_writes_every_split_and_its_summary() -> None:
    preprocess.run(validation_images=50, seed=1, drawn=DRAWN)
    folder = Path("data/processed")
    train, validation, test = (Digits.load(folder, name) for name in ("train", "validation", "test"))
    assert (train.total, validation.total, test.total) == (250, 50, 100)
    assert contents(train) | contents(validation) == contents(make_digits(30, seed=1))
    assert np.array_equal(test.images, make_digits(10, seed=2).images)
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert said["splits"]["validation"] == {
        "images": 50,
        "per_class": [5] * 10,
        "sha256": validation.sha256(),
    }
    assert said["repeats_dropped"] == 0
    assert data_sha256(folder) == said["sha256"]
    sets = [f"{name}-{kind}" for name in SPLITS for kind in DRAWN]
    accepted = [f"{side}-accepted" for side in SIDES]
    files = {"summary.json", *(f"{name}.npz" for name in (*SPLITS, *sets, *accepted))}
    assert {path.name for path in folder.iterdir()} == files
    assert said["splits"]["test-negatives"]["images"] == 10


@pytest.mark.usefixtures("raw")
def test_preprocess_draws_a_row_of_samples_for_each_digit() -> None:
    preprocess.run(validation_images=50, seed=1, drawn=DRAWN)
    assert {path.name for path in Path("reports").iterdir()} == {
        "samples.png",
        "prototypes.png",
        "negatives.png",
        "spoilt.png",
        "scans.png",
    }
    with Image.open("reports/samples.png") as sheet:
        rows = np.split(255 - np.asarray(sheet), 10)
    train = Digits.load(Path("data/processed"), "train")
    for digit, row in enumerate(rows):
        shown = {row[4:60:2, left : left + 56 : 2].tobytes() for left in range(64 + 4, row.shape[1], 64)}
        assert len(shown) == 14
        assert shown <= {image.tobytes() for image in train.images[train.labels == digit]}


@pytest.mark.usefixtures("raw")
def test_preprocess_writes_the_same_bytes_for_the_same_seed() -> None:
    def made(seed: int) -> list[bytes]:
        preprocess.run(validation_images=50, seed=seed, drawn=DRAWN)
        outputs = [*sorted(Path("data/processed").iterdir()), Path("reports/samples.png")]
        return [path.read_bytes() for path in outputs]

    first = made(1)
    assert made(1) == first
    assert made(2) != first


def test_split_keeps_every_class_at_its_share() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), np.arange(20, 120, 10))
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 28, 28), np.uint8)
    train, validation = split(Digits(images, labels), validation_images=65, seed=3)
    assert validation.per_class() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert train.total + validation.total == len(labels)
    assert not contents(train) & contents(validation)


def test_split_keeps_each_image_with_its_label() -> None:
    digits = make_digits(20, seed=5)
    truth = {image.tobytes(): label for image, label in zip(*digits, strict=True)}
    for part in split(digits, validation_images=40, seed=0):
        assert all(truth[image.tobytes()] == label for image, label in zip(*part, strict=True))


@pytest.mark.parametrize("validation_images", [0, 9, 291, 300, 1000])
def test_split_refuses_a_size_that_leaves_a_digit_out(validation_images: int) -> None:
    with pytest.raises(ParameterError, match=f"validation_images = {validation_images}"):
        split(make_digits(30, seed=1), validation_images, seed=1)


def test_without_repeats_keeps_the_first_of_equal_images() -> None:
    digits = make_digits(2, seed=0)
    digits.images[7] = digits.images[3]
    digits.images[19] = digits.images[3]
    kept = without_repeats(digits)
    assert kept.total == 18
    assert np.array_equal(kept.labels, np.delete(digits.labels, [7, 19]))


def test_check_disjoint_counts_what_two_parts_share() -> None:
    train, test = make_digits(3, seed=1), make_digits(2, seed=2)
    check_disjoint({"train": train, "test": test})
    test.images[4] = train.images[0]
    test.images[6] = train.images[20]
    with pytest.raises(DataError, match=r"train and test share 2 images \(the first is number 4 of test\)"):
        check_disjoint({"train": train, "test": test})


@pytest.mark.usefixtures("raw")
def test_preprocess_drops_repeats_and_says_how_many() -> None:
    digits = make_digits(30, seed=1)
    digits.images[11] = digits.images[1]
    write_raw(TRAIN_FILES, digits)
    preprocess.run(validation_images=50, seed=1, drawn=DRAWN)
    said = json.loads(Path("data/processed/summary.json").read_text(encoding="utf-8"))
    assert said["repeats_dropped"] == 1
    assert said["splits"]["train"]["images"] == 249


@pytest.mark.usefixtures("raw")
def test_preprocess_refuses_a_test_image_among_the_training_images() -> None:
    test = make_digits(10, seed=2)
    test.images[5] = make_digits(30, seed=1).images[8]
    write_raw(TEST_FILES, test)
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte and .*t10k-images-idx3-ubyte share 1 images"
    ):
        preprocess.run(validation_images=50, seed=1, drawn=DRAWN)
    assert not Path("data/processed").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda images, labels: (images[:-1], labels),
            "has 99 images, but .*t10k-labels-idx1-ubyte has 100 labels",
        ),
        (lambda images, labels: (images[:, :27], labels), "images of 27 x 28, not 28 x 28"),
        (lambda images, labels: (images, labels + (labels == 9)), "has the label 10 at index 9"),
        (lambda images, labels: (images, labels.clip(0, 8)), "has no 9"),
        (lambda images, labels: (images[:0], labels[:0]), "has no 0"),
    ],
    ids=["counts", "shape", "label", "absent", "none"],
)
@pytest.mark.usefixtures("raw")
def test_preprocess_names_a_wrong_file_and_writes_nothing(change: Change, reason: str) -> None:
    write_raw(TEST_FILES, Digits(*change(*make_digits(10, seed=2))))
    with pytest.raises(DataError, match=rf"data/raw/t10k-.*{reason}"):
        preprocess.run(validation_images=50, seed=1, drawn=DRAWN)
    assert not Path("data/processed").exists()
    assert not Path("reports").exists()


@pytest.mark.usefixtures("raw")
def test_read_digits_refuses_images_and_labels_that_changed_places() -> None:
    images, labels = (Path("data/raw") / name for name in TRAIN_FILES)
    with pytest.raises(DataError, match="begins with 00000801 instead of 00000803"):
        read_digits(labels, images)
