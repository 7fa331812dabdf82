"""The contents of the plots; they are written completely, are small, and can be empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import binomtest

from pipeline.evaluation import plots

LABELS = np.arange(10, dtype=np.uint8)
NAMES = ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate")


def checked(path: Path) -> tuple[int, int]:
    """The size of a picture that is small enough for git."""
    assert path.stat().st_size < 150_000
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    with Image.open(path) as image:
        image.load()
        return image.size


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.png"


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    """The matplotlib figures that are written."""
    figures: list[Figure] = []
    savefig = Figure.savefig

    def noted(figure: Figure, *arguments: object, **options: object) -> None:
        figures.append(figure)
        savefig(figure, *arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(Figure, "savefig", noted)
    yield figures
    assert len(figures) == 1


def lines(axes: Axes) -> dict[str, list[tuple[float, float]]]:
    """The points of each line by its name."""
    return {str(line.get_label()): [(x, y) for x, y in np.asarray(line.get_xydata())] for line in axes.lines}


def bars(axes: Axes) -> list[tuple[NDArray[np.float64], list[NDArray[np.float64]]]]:
    """Return each series with error bars: its points (n, 2), and both ends of every bar in each direction."""
    found = []
    for container in axes.containers:
        assert isinstance(container, ErrorbarContainer)
        points, _, spans = container.lines
        assert points is not None
        ends = [np.array(span.get_segments()) for span in spans if isinstance(span, LineCollection)]
        found.append((np.asarray(points.get_xydata()), ends))
    return found


def test_confusion_counts_answers_across_and_truths_down(path: Path, saved: list[Figure]) -> None:
    truth, answers = np.array([[3, 3, 3, 5], [3, 8, 8, 5]], np.uint8)
    plots.confusion(path, truth, answers)
    (axes,) = saved[0].axes
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    assert numbers == {(3, 3): "1", (8, 3): "2", (5, 5): "1"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("answer", "truth")
    assert axes.get_title() == "2 mistakes in 4 digits"
    coloured = np.asarray(axes.images[0].get_array())
    assert coloured[3, 8] == coloured.sum() == 2  # right answers have no colour


def test_confusion_is_a_small_picture(path: Path) -> None:
    plots.confusion(path, LABELS, LABELS[::-1])
    assert checked(path) == (640, 600)


def test_curves_show_training_and_validation_over_the_epochs(path: Path, saved: list[Figure]) -> None:
    history = {
        "loss": [0.5, 0.3],
        "val_loss": [0.4, 0.2],
        "accuracy": [0.8, 0.9],
        "val_accuracy": [0.95, 1.0],
        "learning_rate": [0.01, 0.001],
    }
    plots.curves(path, history)
    loss, error, rate = saved[0].axes
    assert [axes.get_title() for axes in saved[0].axes] == ["loss", "error rate, %", "learning rate"]
    assert {axes.get_xlabel() for axes in saved[0].axes} == {"epoch"}
    assert lines(loss) == {"training": [(1, 0.5), (2, 0.3)], "validation": [(1, 0.4), (2, 0.2)]}
    wrong = lines(error)
    assert np.array(wrong["training"]) == pytest.approx(np.array([[1, 20], [2, 10]]))
    assert np.array(wrong["validation"]) == pytest.approx(np.array([[1, 5], [2, 0.01]]))  # no log of 0
    assert error.get_yscale() == "log"
    assert list(lines(rate).values()) == [[(1, 0.01), (2, 0.001)]]
    legend = loss.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_curves_of_one_epoch_without_mistakes(path: Path) -> None:
    plots.curves(path, {name: [1.0] for name in NAMES})
    checked(path)


def test_mistakes_are_the_surest_with_truth_answer_and_confidence(path: Path, saved: list[Figure]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    truth, answers = np.array([[3, 4, 5], [8, 9, 6]], np.uint8)
    plots.mistakes(path, images, truth, answers, np.array([0.5, 0.97, 0.8], np.float32), most=2)
    shown = [axes for axes in saved[0].axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["4 read as 9\n97%", "5 read as 6\n80%"]
    for axes, image in zip(shown, images[[1, 2]], strict=True):
        assert np.array_equal(np.asarray(axes.images[0].get_array()), image)


@pytest.mark.parametrize(("count", "most", "rows"), [(20, 10, 2), (3, 40, 1), (0, 40, 1)])
def test_mistakes_shows_no_more_than_asked(
    path: Path, saved: list[Figure], count: int, most: int, rows: int
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    confidence = rng.uniform(size=count).astype(np.float32)
    plots.mistakes(path, images, labels, labels, confidence, most)
    assert checked(path)[1] == rows * 145
    assert sum(bool(axes.images) for axes in saved[0].axes) == min(count, most)
    assert (saved[0].axes[0].get_title() == "no mistakes") == (count == 0)


def test_reliability_has_the_share_of_right_answers_over_the_confidence(
    path: Path, saved: list[Figure]
) -> None:
    sure = np.array([0.2, 0.85, 0.87, 1.0], np.float32)
    right = np.array([False, True, False, True])
    plots.reliability(path, {"test": (sure, right), "none": (sure[:0], right[:0])})
    checked(path)
    (axes,) = saved[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("confidence", "accuracy")
    assert [(0, 0), (1, 1)] in lines(axes).values()  # perfect calibration
    (points, (spans,)), (nothing, _) = bars(axes)
    assert points == pytest.approx(np.array([[0.2, 0], [0.86, 0.5], [1, 1]]))
    assert not len(nothing)
    expected = [binomtest(*count).proportion_ci(method="wilson") for count in ((0, 1), (1, 2), (1, 1))]
    assert spans[:, :, 1] == pytest.approx(np.array(expected), abs=1e-6)


def test_accuracy_by_time_has_mistakes_over_the_cost_of_a_training(path: Path, saved: list[Figure]) -> None:
    plots.accuracy_by_time(path, {"classic": [(1.0, 0.992), (1.2, 0.994)], "best": [(7.5, 0.9975)]})
    width, height = checked(path)
    assert width > height > 300
    (axes,) = saved[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "training time, classic = 1",
        "error rate on MNIST's test set, %",
    )
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylim()[0]) == ("log", "linear", 0)
    (classic, (times, wrong)), (best, _) = bars(axes)
    assert classic == pytest.approx(np.array([[1.1, 0.7]]))
    assert best == pytest.approx(np.array([[7.5, 0.25]]))
    assert times[0, :, 0] == pytest.approx([1.0, 1.2])
    assert wrong[0, :, 1] == pytest.approx([0.6, 0.8])
    assert [text.get_text() for text in axes.texts] == ["classic\n99.30 %", "best\n99.75 %"]
