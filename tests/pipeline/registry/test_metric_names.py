"""MLflow names of metrics: unique, grouped and complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.registry.metric_names import (
    EPOCH,
    EVALUATION,
    NO_METRICS,
    evaluation_metrics,
    metric_name,
)

REPORT = Path(__file__).resolve().parents[3] / "reports" / "metrics.json"


def test_evaluation_metrics_of_the_report_stand_in_groups() -> None:
    figures = json.loads(REPORT.read_text(encoding="utf-8"))
    names = evaluation_metrics(figures)
    assert [name for name in names if "/" not in name] == []
    assert set(names) >= {"test/accuracy", "recall/0", "recall/9", "canvas/thin"}
    assert names["auroc_of/dash"] == figures["reject_auroc_of"]["dash"]


def test_every_thing_has_one_name() -> None:
    names = [*EPOCH.values(), *EVALUATION.values()]
    assert len(names) == len(set(names))
    assert not EVALUATION.keys() & NO_METRICS.keys()


def test_evaluation_metrics_leave_out_parameters_and_the_champion() -> None:
    assert evaluation_metrics({"seed": 1, "epochs": 3, "parameters": 9, "champion": True}) == {}


@pytest.mark.parametrize("intervals", [{"recall.3": [0.5, 1.0]}, {"recall": {"3": (0.5, 1.0)}}])
def test_evaluation_metrics_give_intervals_beside_their_figure(intervals: dict[str, object]) -> None:
    found = evaluation_metrics({"recall": {"3": 0.75}, "intervals": intervals})
    assert sorted(found.items()) == [("recall/3", 0.75), ("recall/3.high", 1.0), ("recall/3.low", 0.5)]


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        ("test_accuracy", "test/accuracy"),
        ("recall.3", "recall/3"),
        ("recall/3.low", "recall/3.low"),
        ("validation/loss", "validation/loss"),
        ("of_its_own", "of_its_own"),
    ],
)
def test_metric_name(figure: str, name: str) -> None:
    assert metric_name(figure) == name
