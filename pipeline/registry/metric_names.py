"""The names of metrics in MLflow, whose UI groups metrics by the part before the slash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.project.params import flat

EPOCH = {
    "loss": "train/loss",
    "accuracy": "train/accuracy",
    "learning_rate": "train/learning_rate",
    "val_loss": "validation/loss",
    "val_accuracy": "validation/accuracy",
}
"""Metrics of each epoch. Here, validation includes the synthetic digits and marks."""

EVALUATION = {
    "train_seconds": "train/seconds",
    "best_epoch": "train/best_epoch",
    "validation_primary": "score/primary",
    "validation_accuracy": "score/digits",
    "validation_canvas_accuracy": "score/canvases",
    "validation_prototype_accuracy": "score/prototypes",
    "validation_spoilt_accuracy": "score/spoilt",
    "validation_line_accuracy": "score/lines",
    "validation_paper_accuracy": "score/papers",
    "validation_reject_auroc": "score/rejection",
    "validation_accepted_accuracy": "score/accepted",
    "test_accuracy": "test/accuracy",
    "test_loss": "test/loss",
    "test_errors": "test/errors",
    "canvas_accuracy": "handwriting/canvases",
    "prototype_accuracy": "handwriting/prototypes",
    "spoilt_accuracy": "handwriting/spoilt",
    "line_accuracy": "handwriting/lines",
    "paper_accuracy": "handwriting/papers",
    "papers_right": "handwriting/papers_right",
    "paper_character_errors": "handwriting/paper_character_errors",
    "expected_calibration_error": "calibration/digits",
    "canvas_calibration_error": "calibration/canvases",
    "number_calibration_error": "calibration/numbers",
    "reject_auroc": "rejects/auroc",
    "false_reject_rate": "rejects/false_rejects",
    "false_accept_rate": "rejects/false_accepts",
}
"""Metrics in reports/metrics.json. The group `score` has the validation metrics, first the gate's primary."""

GROUPS = {"reject_auroc_of": "auroc_of"}  # nested metrics; other groups keep their names

NO_METRICS = {
    "seed": "a parameter",
    "epochs": "a parameter",
    "parameters": "the tag `weights`",
    "champion": "the alias of the registered model, which may move later",
    "test_rejected": "another name of false_reject_rate",
}
"""Entries of reports/metrics.json that are not metrics in MLflow, and what they are instead."""

INTERVALS = "intervals"  # the group of [low, high] of other metrics


def metric_name(figure: str) -> str:
    """Return the MLflow name of a metric; nested names have dots. An MLflow name is returned unchanged."""
    if figure in EVALUATION:
        return EVALUATION[figure]
    group, _, rest = figure.partition(".")
    return f"{GROUPS.get(group, group)}/{rest.replace('.', '/')}" if rest and "/" not in group else figure


def epoch_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return an epoch's metrics with MLflow names."""
    return {EPOCH.get(name, name): value for name, value in metrics.items()}


def evaluation_metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of a report with MLflow names, and their intervals as `.low` and `.high`."""
    plain = {name: value for name, value in figures.items() if name != INTERVALS and name not in NO_METRICS}
    found = {metric_name(name): float(value) for name, value in flat(plain).items()}
    for name, (low, high) in flat(figures.get(INTERVALS, {})).items():
        if name not in NO_METRICS:
            found |= {f"{metric_name(name)}.low": float(low), f"{metric_name(name)}.high": float(high)}
    return found
