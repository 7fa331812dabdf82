"""Metrics are summed over workers, and all metrics in the documents exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from digits import Mark
from service.runtime import metrics

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import os, sys
from service.runtime import metrics
metrics.WORKERS.labels("1").set(1)
metrics.REQUESTS.labels("/predict", "ok").inc(int(sys.argv[1]))
with metrics.step("decode").time():
    pass
print(metrics.text().decode())
if len(sys.argv) > 2:
    os.kill(os.getpid(), 9)
"""


def value(text: str, name: str) -> float:
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])


def test_text_adds_up_workers_and_forgets_dead_ones(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", CODE]
    killed = subprocess.run([*run, "3", "kill"], env=environment, capture_output=True, text=True)
    assert killed.returncode == -9
    text = subprocess.run([*run, "4"], env=environment, capture_output=True, text=True, check=True).stdout
    assert value(text, 'digits_requests_total{outcome="ok",path="/predict"}') == 7
    assert value(text, 'digits_step_seconds_count{step="decode"}') == 2
    assert value(text, 'digits_workers{model="1"}') == 1
    assert value(text, 'digits_model_loads_total{outcome="refused"}') == 0, "shown before there is one"


def test_sign_is_counted_as_a_sign_and_has_no_confidence() -> None:
    marks = {
        "7": Mark(7, 0.9, (0.1,) * 10, None, (0, 0, 1, 1)),
        "not_a_digit": Mark(None, None, (0.1,) * 10, "not_a_digit", (0, 0, 1, 1)),
        "sign": Mark(None, None, (0.1,) * 10, None, (0, 0, 1, 1), "-"),
    }
    for name, mark in marks.items():
        before = counted()
        metrics.count_answer(mark)
        new = {key: after - before.get(key, 0) for key, after in counted().items()}
        expected = {name: 1.0} | ({"confidence": 1.0} if name == "7" else {})
        assert {key: more for key, more in new.items() if more} == expected


def counted() -> dict[str, float]:
    """The counts of answers by result, and the count of confidences."""
    samples = [sample for metric in metrics.ANSWERS.collect() for sample in metric.samples]
    answers = {one.labels["answer"]: one.value for one in samples if one.name == "digits_answers_total"}
    return answers | {"confidence": REGISTRY.get_sample_value("digits_confidence_count") or 0}


def known() -> set[str]:
    """The names of all metrics and of their samples."""
    collected = list(REGISTRY.collect())
    samples = [sample for metric in collected for sample in metric.samples]
    return {metric.name for metric in collected} | {sample.name for sample in samples}


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml", "operations.md"])
def test_documents_name_metrics_that_exist(name: str) -> None:
    with metrics.step("decode").time():
        metrics.REQUESTS.labels("/predict", "ok").inc()
        metrics.SECONDS.labels("/predict").observe(1)
        metrics.LOADS.labels("taken").inc()
        metrics.ANSWERS.labels("7").inc()
        metrics.WORKERS.labels("1").set(1)
        metrics.QUEUE.labels("quick").set(0)
        metrics.FEEDBACK.labels("wrong").inc()
    named = set(re.findall(r"digits_[a-z_]+", (ROOT / "docs" / name).read_text()))
    assert len(named) > 4
    assert named <= known()


def test_no_label_is_one_that_prometheus_operator_sets() -> None:
    """It would rename our label to `exported_...`, which no rule would find."""
    metrics.count_request("/predict", "ok", 0.1)
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    labels = {label for sample in samples for label in sample.labels}
    assert "path" in labels
    assert not labels & {"container", "endpoint", "instance", "job", "namespace", "pod", "service"}


def test_grafana_and_alerts_are_well_formed() -> None:
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    rules = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]
    operations = (ROOT / "docs" / "operations.md").read_text()
    for rule in rules:
        assert rule["alert"] in operations, "the page says what to do about every alert"
        assert rule["annotations"]["runbook_url"] == "docs/operations.md#what-to-do"
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["expr"].count("(") == rule["expr"].count(")")
