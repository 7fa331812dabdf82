"""Pictures are written whole, small, and also where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.evaluation import plots

LABELS = np.arange(10, dtype=np.uint8)


def checked(path: Path) -> tuple[int, int]:
    """The size of a picture that is small enough for git."""
    assert path.stat().st_size < 150_000
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    with Image.open(path) as image:
        image.load()
        return image.size


def test_confusion(tmp_path: Path) -> None:
    plots.confusion(tmp_path / "a.png", LABELS, LABELS[::-1])
    assert checked(tmp_path / "a.png") == (640, 600)


def test_curves_of_one_epoch_without_mistakes(tmp_path: Path) -> None:
    names = ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate")
    plots.curves(tmp_path / "a.png", {name: [1.0] for name in names})
    checked(tmp_path / "a.png")


@pytest.mark.parametrize(("count", "most", "rows"), [(20, 10, 2), (3, 40, 1), (0, 40, 1)])
def test_mistakes_shows_no_more_than_asked(tmp_path: Path, count: int, most: int, rows: int) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    confidence = rng.uniform(size=count).astype(np.float32)
    plots.mistakes(tmp_path / "a.png", images, labels, labels, confidence, most)
    assert checked(tmp_path / "a.png")[1] == rows * 145


def test_reliability(tmp_path: Path) -> None:
    sure = np.array([0.2, 0.9, 1.0], np.float32)
    plots.reliability(tmp_path / "a.png", {"test": (sure, sure > 0.5), "none": (sure[:0], sure[:0] > 0.5)})
    checked(tmp_path / "a.png")


def test_accuracy_by_time_of_one_training_and_of_several(tmp_path: Path) -> None:
    path = tmp_path / "time.png"
    plots.accuracy_by_time(path, {"classic": [(1.0, 0.993), (1.0, 0.994)], "best": [(7.5, 0.9975)]})
    width, height = checked(path)
    assert width > height > 300
