"""The plots of the report. Each function writes one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import binomtest

from digits.network.contract import CLASSES
from pipeline.project.files import atomic_write

COLUMNS = 8  # of the contact sheet
DPI = 100

_TIMES = (0.25, 0.5, 1, 2, 4, 8)  # ticks of the time axis

mpl.use("Agg")

Labels = NDArray[np.uint8]


def confusion(path: Path, truth: Labels, answers: Labels) -> None:
    """Plot the confusion matrix as counts; the diagonal (right answers) is not coloured."""
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (truth, answers), 1)
    wrong = counts * (1 - np.eye(CLASSES, dtype=int))
    figure = Figure((6.4, 6.0), layout="constrained")
    axes = figure.subplots()
    axes.imshow(wrong, cmap="Reds")
    for row, column in np.ndindex(counts.shape):
        if counts[row, column]:
            dark = wrong[row, column] > wrong.max() * 0.6
            axes.text(
                column, row, str(counts[row, column]), ha="center", va="center", color="w" if dark else "k"
            )
    axes.set(xlabel="answer", ylabel="truth", xticks=range(CLASSES), yticks=range(CLASSES))
    axes.set_title(f"{wrong.sum()} mistakes in {counts.sum()} digits")
    _save(figure, path)


def curves(path: Path, history: Mapping[str, Sequence[float]]) -> None:
    """Plot loss, error rate and learning rate by epoch, for training and validation."""
    epochs = range(1, len(history["loss"]) + 1)
    figure = Figure((11, 3.4), layout="constrained")
    loss, error, rate = figure.subplots(1, 3)
    for prefix, name in (("", "training"), ("val_", "validation")):
        loss.plot(epochs, history[prefix + "loss"], marker=".", label=name)
        wrong = [100 * (1 - value) for value in history[prefix + "accuracy"]]
        error.plot(epochs, np.maximum(wrong, 1e-2), marker=".", label=name)
    rate.plot(epochs, history["learning_rate"], marker=".", color="k")
    for axes, title in ((loss, "loss"), (error, "error rate, %"), (rate, "learning rate")):
        axes.set(xlabel="epoch", title=title)
        axes.grid(alpha=0.3)
    loss.legend()
    error.set_yscale("log")
    _save(figure, path)


def mistakes(
    path: Path, images: Labels, truth: Labels, answers: Labels, confidence: NDArray[np.float32], most: int
) -> None:
    """Plot the `most` mistakes (n, 28, 28) with the highest confidence, with truth, answer and confidence."""
    worst = np.argsort(-confidence, kind="stable")[: most or None]
    rows = max(1, -(-len(worst) // COLUMNS))
    figure = Figure((COLUMNS * 1.15, rows * 1.45), layout="constrained")
    cells = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for cell in cells:
        cell.axis("off")
    for cell, at in zip(cells, worst, strict=False):
        cell.imshow(images[at], cmap="gray_r")
        cell.set_title(f"{truth[at]} read as {answers[at]}\n{confidence[at]:.0%}", fontsize=8)
    if not len(worst):
        cells[0].set_title("no mistakes", fontsize=8)
    _save(figure, path)


def reliability(path: Path, sets: Mapping[str, tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> None:
    """Plot accuracy against confidence; each set has confidence (n,) and right (n,).

    The bars are Wilson's 95 % intervals, which are wide at low confidence, where there are few answers.
    """
    edges = np.array([0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0 + 1e-6])
    figure = Figure((4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--")
    for name, (confidence, right) in sets.items():
        bins = np.digitize(confidence, edges)
        chosen = [bins == at for at in np.unique(bins)]
        share = np.array([right[at].mean() for at in chosen])
        counts = [(int(right[at].sum()), int(at.sum())) for at in chosen]
        spans = [binomtest(*count).proportion_ci(method="wilson") for count in counts]
        off = np.abs(np.reshape(spans, (-1, 2)).T - share)
        middle = [confidence[at].mean() for at in chosen]
        axes.errorbar(middle, share, off, fmt="o-", capsize=3, label=name)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend()
    axes.grid(alpha=0.3)
    _save(figure, path)


def accuracy_by_time(path: Path, trainings: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Plot error rate against training time, relative to a reference training.

    Each profile has (relative time, accuracy) of its trainings. The point is their mean, and the bars go from
    the minimum to the maximum.
    """
    figure = Figure((6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, points in trainings.items():
        times, right = (np.array(values) for values in zip(*points, strict=True))
        wrong = 100 * (1 - right)
        spans = [[[v.mean() - v.min()], [v.max() - v.mean()]] for v in (times, wrong)]
        axes.errorbar(times.mean(), wrong.mean(), spans[1], spans[0], fmt="o", capsize=3)
        text = f"{name}\n{100 - wrong.mean():.2f} %"
        axes.annotate(text, (times.mean(), wrong.mean()), (9, -3), textcoords="offset points", va="center")
    axes.set(xlabel="training time, classic = 1", ylabel="error rate on MNIST's test set, %", xscale="log")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0.2, 16)
    axes.set_xticks(_TIMES, [f"{time:g}" for time in _TIMES])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
