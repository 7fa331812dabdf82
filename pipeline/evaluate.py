"""Stage `evaluate`: the candidate's figures and pictures, and whether it becomes the champion."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digits.model import CLASSES, Model
from digits.reader import Reader
from pipeline import tracking
from pipeline.calibrate import cross_entropy, expected_calibration_error
from pipeline.canvas import canvases
from pipeline.dataset import Digits
from pipeline.project import CANDIDATE, PROCESSED, REPORTS, champion, read_params, write_text
from pipeline.promote import promote, sync
from pipeline.stage import run_stage

Logits = NDArray[np.float32]
BATCH = 500  # digits at a time: bounds the memory


def all_logits(model: Model, images: NDArray[np.uint8]) -> Logits:
    """The logits (n, 10 or 11) of digits (n, 28, 28)."""
    parts = [images[at : at + BATCH, :, :, None] for at in range(0, len(images), BATCH)]
    return np.concatenate([model.logits(part.astype(np.float32)) for part in parts])


def accuracy(model: Model, digits: Digits) -> float:
    """The share of digits whose largest of the ten logits is the right one."""
    images, labels = digits
    return float((all_logits(model, images)[:, :CLASSES].argmax(axis=1) == labels).mean())


def canvas_accuracies(reader: Reader, digits: Digits, seed: int) -> dict[str, float]:
    """The share of redrawn digits that are read right, for each kind and over "all" of them."""
    right: dict[str, list[bool]] = defaultdict(list)
    images, labels = digits
    for (kind, canvas), label in zip(canvases(images, seed), labels, strict=True):
        answer = reader.predict(canvas).digit == label
        right[kind].append(answer)
        right["all"].append(answer)
    return {kind: float(np.mean(answers)) for kind, answers in right.items()}


def validation_scores(reader: Reader, validation: Digits, canvas_digits: int, seed: int) -> dict[str, float]:
    """What decides between two models; test digits never do."""
    some = validation.take(np.arange(min(canvas_digits, validation.total)))
    return {
        "validation_accuracy": accuracy(reader.model, validation),
        "validation_canvas_accuracy": canvas_accuracies(reader, some, seed)["all"],
    }


def test_figures(reader: Reader, test: Digits, canvas_digits: int, seed: int) -> dict[str, Any]:
    """Figures for the report, from digits that decide nothing."""
    images, labels = test
    logits = all_logits(reader.model, images)[:, :CLASSES]
    scaled = logits / np.float32(reader.model.manifest.temperature)
    probabilities = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    right = logits.argmax(axis=1) == labels
    drawn = canvas_accuracies(reader, test.take(np.arange(min(canvas_digits, test.total))), seed + 1)
    return {
        "test_accuracy": float(right.mean()),
        "test_loss": cross_entropy(scaled, labels),
        "test_errors": int((~right).sum()),
        "canvas_accuracy": drawn.pop("all"),
        "canvas": drawn,
        "expected_calibration_error": expected_calibration_error(probabilities, labels),
        "recall": {str(digit): float(right[labels == digit].mean()) for digit in np.unique(labels)},
    }


def wins(candidate: dict[str, float], champion: dict[str, float] | None) -> bool:
    """Whether the candidate is the better one: by the mean of the validation scores."""
    return champion is None or sum(candidate.values()) > sum(champion.values())


def stage(seed: int, canvas_digits: int) -> None:
    """The whole stage: so many digits are redrawn on canvases."""
    how = {"canvas_digits": canvas_digits, "seed": seed}
    validation, test = (Digits.load(PROCESSED, split) for split in ("validation", "test"))
    reader = Reader.load(CANDIDATE)
    manifest = reader.model.manifest
    print(f"evaluate: {validation.total} validation and {test.total} test digits", flush=True)
    scores = validation_scores(reader, validation, **how)
    figures = {**manifest.metrics, **scores, **test_figures(reader, test, **how)}
    with tracking.reopened_run(manifest.run_id, read_params("train")) as run_id:
        client = tracking.connect()
        version = tracking.registered(client, run_id, CANDIDATE)
        served = sync(client)
        rival = None if served is None else validation_scores(Reader.load(champion()), validation, **how)
        won = wins(scores, rival)
        figures["champion"] = won or (served is not None and served.sha256 == manifest.sha256)
        write_text(REPORTS / "metrics.json", json.dumps(figures, indent=2) + "\n")
        tracking.log_evaluation(figures, REPORTS)
        if won:
            promote(client, version)
    print(_summary(figures, rival, won), flush=True)


def _summary(figures: dict[str, Any], rival: dict[str, float] | None, won: bool) -> str:
    lines = [
        f"test accuracy {figures['test_accuracy']:.2%} ({figures['test_errors']} mistakes)",
        f"canvas accuracy {figures['canvas_accuracy']:.2%}",
    ]
    ours = sum(figures[name] for name in rival) / len(rival) if rival else 0.0
    theirs = sum(rival.values()) / len(rival) if rival else 0.0
    against = f"validation score {ours:.2%} against the champion's {theirs:.2%}" if rival else "the first one"
    return "evaluate: " + ", ".join([*lines, against]) + (": promoted" if won else ": the champion stays")


if __name__ == "__main__":
    sys.exit(run_stage("evaluate", stage))
