"""How figures are called in MLflow, whose pages make a group of what stands before the slash."""

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
"""Of each epoch: validation here is all that it holds, digits as they are and drawn ones together."""

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
"""Of the figures in reports/metrics.json. `score`: the validation figures; the primary decides first."""

GROUPS = {"reject_auroc_of": "auroc_of"}  # nested figures; any other group keeps its name

NO_METRICS = {
    "seed": "a parameter",
    "epochs": "a parameter",
    "parameters": "the tag `weights`",
    "champion": "the alias of the registered model, which moves on",
    "test_rejected": "another name of false_reject_rate",
}
"""Figures that are no metrics in MLflow, and what they are instead."""

INTERVALS = "intervals"  # the group of figures that holds [low, high] of others


def metric_name(figure: str) -> str:
    """What a figure is called in MLflow; nested ones come with dots. A metric's own name stays."""
    if figure in EVALUATION:
        return EVALUATION[figure]
    group, _, rest = figure.partition(".")
    return f"{GROUPS.get(group, group)}/{rest.replace('.', '/')}" if rest and "/" not in group else figure


def epoch_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """An epoch's metrics under MLflow's names."""
    return {EPOCH.get(name, name): value for name, value in metrics.items()}


def evaluation_metrics(figures: Mapping[str, Any]) -> dict[str, float]:
    """The figures that are metrics under MLflow's names, and intervals as `.low`, `.high`."""
    plain = {name: value for name, value in figures.items() if name != INTERVALS and name not in NO_METRICS}
    found = {metric_name(name): float(value) for name, value in flat(plain).items()}
    for name, (low, high) in flat(figures.get(INTERVALS, {})).items():
        if name not in NO_METRICS:
            found |= {f"{metric_name(name)}.low": float(low), f"{metric_name(name)}.high": float(high)}
    return found
