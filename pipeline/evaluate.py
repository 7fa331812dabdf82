"""Stage `evaluate`: the candidate's figures and pictures, and whether it becomes the champion."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mlflow import MlflowClient

from digits.errors import ModelError
from digits.network.contract import CLASSES
from digits.reader import DEFAULT_MODEL, Reader
from pipeline.evaluation import plots
from pipeline.evaluation.drawn import Amounts, DrawnAnswers, Task, read_drawn
from pipeline.evaluation.metrics import (
    Answers,
    RedrawnAnswers,
    answers,
    auroc_by_kind,
    false_rejects,
    rejection,
)
from pipeline.mnist.dataset import Digits, load_drawn
from pipeline.project.files import write_csv, write_text
from pipeline.project.params import read_params
from pipeline.project.paths import CANDIDATE, CURVES, PROCESSED, REPORTS, champion
from pipeline.project.processes import spread
from pipeline.project.runner import end_with_parent, main
from pipeline.registry import runs, versions
from pipeline.registry.promotion import promote, sync
from pipeline.training.data import digits_by_source

Scores = Mapping[str, float]
"""The validation figures that decide between two models; test digits never do."""


def run(
    seed: int, canvas_digits: int, lines: int, papers: int, marks: int, worst: int, default_margin: float
) -> None:
    """The whole stage.

    `canvas_digits`, `lines` and `papers`: how many digits, lines of them and papers filled in with them are
    drawn. `marks`: how many of each kind that is not a digit. `worst`: how many mistakes are shown.
    `default_margin`: by how much the first champion's validation score may lie below the default model's.
    """
    end_with_parent()
    test = Digits.load(PROCESSED, "test")
    candidate = Reader.load(CANDIDATE)
    manifest = candidate.model.manifest
    print(f"evaluate: on validation, and on {test.total} test digits", flush=True)
    served = present_champion(runs.connect())
    is_champion = served is not None and served.model.manifest.sha256 == manifest.sha256
    amounts = Amounts(canvas_digits, lines, papers)
    tasks = [
        Task(CANDIDATE, PROCESSED, "test", amounts, seed + 1),
        Task(CANDIDATE, PROCESSED, "validation", amounts, seed),
    ]
    if not is_champion:
        tasks.append(Task(champion() if served else DEFAULT_MODEL, PROCESSED, "validation", amounts, seed))
    on_test, *on_validation = spread(read_drawn, tasks, len(tasks) * amounts.seconds)
    scores = validation_scores(candidate, on_validation[0])
    rival = served or Reader.load()  # of digits/default, which a test holds to load
    rivals = scores if is_champion else validation_scores(rival, on_validation[1])
    read = answers(candidate.model, test)
    figures = {
        **manifest.metrics,
        **scores,
        **report(read, on_test.redrawn),
        **handwriting(candidate, read, on_test, marks, seed),
    }
    write_plots(REPORTS, test, read, on_test.redrawn, worst)
    print("evaluate: into MLflow", flush=True)
    with runs.reopened_run(manifest.run_id, read_params("train")) as (client, run_id):
        version = versions.register(client, run_id, CANDIDATE, scores)
        won = wins(scores, rivals) if served else takes_over(scores, rivals, default_margin)
        figures["champion"] = won or is_champion
        write_text(REPORTS / "metrics.json", json.dumps(figures, indent=2) + "\n")
        runs.log_evaluation(figures, REPORTS)
        if won:
            reason = verdict(scores, rivals, version, won, served is None)
            promote(client, version, reason, by="evaluate")
    print(f"evaluate: {summary(figures)}")
    print(f"evaluate: {verdict(scores, rivals, version, won, served is None)}", flush=True)


def present_champion(client: MlflowClient) -> Reader | None:
    """A reader with the champion; None where there is none, or its files are lost or of another contract."""
    try:
        return Reader.load(champion()) if sync(client) else None
    except ModelError as error:
        print(f"evaluate: the champion cannot be compared ({error}): the candidate takes its place")
        return None


def validation_scores(reader: Reader, drawn: DrawnAnswers) -> Scores:
    """How a model does on validation: digits as they are, redrawn, spoilt; lines, papers, other marks."""
    prototypes = load_drawn(PROCESSED, "validation", "prototypes")
    plain = answers(reader.model, Digits.load(PROCESSED, "validation"))
    return {
        "validation_accuracy": plain.figures()["accuracy"],
        "validation_canvas_accuracy": drawn.redrawn.accuracy,
        "validation_prototype_accuracy": answers(reader.model, prototypes).figures()["accuracy"],
        "validation_spoilt_accuracy": spoilt_accuracy(reader, "validation"),
        "validation_line_accuracy": drawn.line_accuracy,
        "validation_paper_accuracy": drawn.papers.score.accuracy,
        "validation_reject_auroc": rejection_on(reader, plain, "validation")["reject_auroc"],
    }


def spoilt_accuracy(reader: Reader, split: str) -> float:
    """The share read right of the digits that are blurred, crossed by a rule or cut from neighbours."""
    spoilt = load_drawn(PROCESSED, split, "spoilt")
    return answers(reader.model, spoilt.take(np.flatnonzero(spoilt.labels < CLASSES))).figures()["accuracy"]


def rejection_on(reader: Reader, plain: Answers, split: str) -> dict[str, float]:
    """How a split's digits are parted from the marks that are none."""
    return rejection(reader.model, plain, load_drawn(PROCESSED, split, "negatives"))


def wins(candidate: Scores, champion: Scores) -> bool:
    """Whether the candidate is the better one, by the mean of its scores: a tie keeps the champion."""
    return mean(candidate) > mean(champion)


def takes_over(candidate: Scores, default: Scores, margin: float) -> bool:
    """Whether a first candidate is not clearly worse than the default model: a tie goes to the candidate."""
    return mean(candidate) >= mean(default) - margin


def mean(scores: Scores) -> float:
    return sum(scores.values()) / len(scores)


def report(read: Answers, redrawn: RedrawnAnswers) -> dict[str, Any]:
    """The figures of the test digits, as they are and redrawn: they decide nothing."""
    figures = read.figures()
    return {
        "test_accuracy": figures["accuracy"],
        "test_loss": figures["loss"],
        "test_errors": figures["errors"],
        "test_rejected": figures["rejected"],
        "canvas_accuracy": redrawn.accuracy,
        "expected_calibration_error": figures["expected_calibration_error"],
        "canvas_calibration_error": redrawn.calibration_error,
        "canvas": redrawn.by_kind(),
        "recall": read.recall(),
    }


def handwriting(reader: Reader, plain: Answers, drawn: DrawnAnswers, marks: int, seed: int) -> dict[str, Any]:
    """The figures of what the project drew from and beside the test digits: they decide nothing either."""
    prototypes = load_drawn(PROCESSED, "test", "prototypes")
    return {
        "prototype_accuracy": answers(reader.model, prototypes).figures()["accuracy"],
        "spoilt_accuracy": spoilt_accuracy(reader, "test"),
        "line_accuracy": drawn.line_accuracy,
        "paper_accuracy": drawn.papers.score.accuracy,
        "paper_character_errors": drawn.papers.score.wrong,
        "papers_right": drawn.papers.score.right,
        "number_calibration_error": drawn.papers.calibration_error,
        **rejection_on(reader, plain, "test"),
        "false_rejects": false_rejects(reader.model, digits_by_source(PROCESSED, "test")),
        "reject_auroc_of": auroc_by_kind(reader.model, plain, marks, seed + 1),
    }


def write_plots(folder: Path, test: Digits, read: Answers, redrawn: RedrawnAnswers, worst: int) -> None:
    """Confusion matrix, training curves, reliability and the worst mistakes."""
    write_text(folder / CURVES, (CANDIDATE / CURVES).read_text(encoding="utf-8"))
    write_csv(folder / "confusion.csv", {"actual": read.truth.tolist(), "predicted": read.digits.tolist()})
    plots.confusion(folder / "confusion.png", read.truth, read.digits)
    plots.curves(folder / "training.png", history(folder / CURVES))
    told = redrawn.confidence > 0  # a rejected digit has no confidence
    sets = {"test": (read.confidence, read.right), "redrawn": (redrawn.confidence[told], redrawn.right[told])}
    plots.reliability(folder / "reliability.png", sets)
    wrong = ~read.right
    shown = (test.images[wrong], read.truth[wrong], read.digits[wrong], read.confidence[wrong])
    plots.mistakes(folder / "mistakes.png", *shown, most=worst)


def history(path: Path) -> dict[str, list[float]]:
    """The curves of the training, as `train` wrote them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}


def summary(figures: Mapping[str, Any]) -> str:
    return (
        f"test accuracy {figures['test_accuracy']:.2%} ({figures['test_errors']} mistakes), "
        f"on canvases {figures['canvas_accuracy']:.2%}"
    )


def verdict(scores: Scores, rival: Scores, version: str, won: bool, first: bool) -> str:
    """Which model is served from now on, and both validation scores; `first`: no champion was there yet."""
    whose = "the default model's" if first else "the champion's"
    compared = f"its validation score is {mean(scores):.3%}, {whose} {mean(rival):.3%}"
    if won:
        which = "first" if first else "new"
        return f"version {version} is the {which} champion: {compared}"
    if first:
        return (
            f"version {version} does not take over from the default model: {compared}; "
            f"`make promote VERSION={version}` serves this one all the same"
        )
    return f"the champion stays, not version {version}: {compared}"


if __name__ == "__main__":
    sys.exit(main("evaluate", run))
