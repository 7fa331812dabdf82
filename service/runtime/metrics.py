"""The Prometheus metrics of the service, summed over all its workers.

BentoML gives its workers one PROMETHEUS_MULTIPROC_DIR. Each worker writes files there, and the worker that
answers /metrics adds them up. Labels come from fixed lists only, never from what a client sends.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import multiprocess as shared

from digits import Mark, Prediction

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

# The label is `path`, because Prometheus Operator uses `endpoint` for its own.
REQUESTS = Counter(
    "digits_requests", "Requests by path and outcome (ok or the error code)", ["path", "outcome"]
)
SECONDS = Histogram(
    "digits_request_seconds",
    "Time from the request's headers to the end of the response",
    ["path"],
    buckets=_FAST,
)
STEPS = Histogram(
    "digits_step_seconds",
    "Time of each step: decode (the picture), read, and network",
    ["step"],
    buckets=_FAST,
)
ANSWERS = Counter(
    "digits_answers", "Marks by result: the digit, `sign`, or the reason for rejection", ["answer"]
)
CONFIDENCE = Histogram(
    "digits_confidence", "Confidence of answered digits", buckets=(0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1)
)
FEEDBACK = Counter(
    "digits_feedback", "Feedback stored, by whether the model was `right` or `wrong`", ["outcome"]
)
QUEUE = Gauge("digits_queue", "Pictures queued or being processed", ["queue"], multiprocess_mode="livesum")
LOADS = Counter("digits_model_loads", "Model loads by outcome, `taken` or `refused`", ["outcome"])
WORKERS = Gauge(
    "digits_workers", "Workers by model version in service", ["model"], multiprocess_mode="livesum"
)
for _outcome in ("taken", "refused"):
    LOADS.labels(_outcome)  # shown as 0, so that an alert sees the first one rise
DRIFT_DISTANCE = Gauge(
    "digits_drift_distance",
    "Total variation distance of the last 24 hours from the model's reference or from the days before",
    ["against", "kind", "feature"],
    multiprocess_mode="mostrecent",
)
DRIFT = Gauge(
    "digits_drift",
    "1 if the feature has drifted, as `make drift` reports, else 0",
    ["against", "kind", "feature"],
    multiprocess_mode="mostrecent",
)
DRIFT_PICTURES = Gauge(
    "digits_drift_pictures", "Pictures of the last 24 hours", ["kind"], multiprocess_mode="mostrecent"
)

# `labels` builds its key on each call, which is a third of the time of counting.
step = cache(STEPS.labels)
"""The timer of one step: `with step("decode").time(): ...`."""
_requests = cache(REQUESTS.labels)
_seconds = cache(SECONDS.labels)
_answers = cache(ANSWERS.labels)


def show_as_none(path: str, outcome: str) -> None:
    """Create an outcome's counter with the value 0, because alerts detect a rise only after a first value."""
    _requests(path, outcome)


def count_request(path: str, outcome: str, seconds: float) -> None:
    """Count one answered request and, unless the service was busy and delayed the response, its time."""
    _requests(path, outcome).inc()
    if outcome != "busy":
        _seconds(path).observe(seconds)


def count_answer(answer: Prediction | Mark) -> None:
    """Count a mark's result and confidence; a mark that is neither digit nor rejected is a sign."""
    _answers(answer.rejected or ("sign" if answer.digit is None else str(answer.digit))).inc()
    if answer.confidence is not None:
        CONFIDENCE.observe(answer.confidence)


def count_feedback(*, right: bool) -> None:
    """Count feedback that has been stored."""
    FEEDBACK.labels("right" if right else "wrong").inc()


def text() -> bytes:
    """The metrics of all workers in Prometheus's text format."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return generate_latest(REGISTRY)
    _forget_dead_workers(Path(folder))
    registry = CollectorRegistry()
    shared.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # untyped in the library
    return generate_latest(registry)


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of killed workers from the sums."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rpartition("_")[2])
        if not _lives(worker):
            shared.mark_process_dead(worker)  # type: ignore[no-untyped-call]  # untyped in the library


def _lives(worker: int) -> bool:
    try:
        return bool(psutil.Process(worker).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
