"""Hourly counts: of several workers, after a kill, on a full disk, and within limits."""

from __future__ import annotations

import json
import logging
import math
import re
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from digits import Look, Prediction, Reading
from service.runtime import traffic
from service.runtime.traffic import Traffic, show
from tests.traffic.windows import reference_of
from traffic.slots import HOUR, KEPT_HOURS, Slot
from traffic.windows import hours_ago

MODEL, OTHER = "a" * 64, "b" * 64
LIGHT = Look(paper=1.0, ink=0.03, size=0.5, stroke=0.1)
DARK = Look(paper=0.0, ink=0.03, size=0.5, stroke=0.1)
SEVEN = Prediction(7, 0.98, (0.1,) * 10, None, "1")
BLANK = Reading("", (), (), (), "1")


def pictures(slots: list[Slot], kind: str = "predict") -> int:
    return sum(sum(slot.counts[kind]["outcome"]) for slot in slots)


def seen(counts: Traffic, times: int, look: Look = LIGHT, model: str = MODEL) -> None:
    for _ in range(times):
        counts.add_prediction(model, SEVEN, look, 160_000)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test may change."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_workers_add_up_and_outlive_themselves(tmp_path: Path) -> None:
    one, two = Traffic(tmp_path), Traffic(tmp_path)
    seen(one, 3)
    seen(two, 4)
    two.add_reading(MODEL, BLANK, LIGHT, 100)
    one.write()
    two.write()
    assert (pictures(one.slots()), pictures(two.slots(), "read")) == (7, 1)
    seen(one, 1)
    assert pictures(two.slots()) == 7, "what the other has not written yet is not seen"
    assert pictures(one.slots()) == 8
    assert pictures(Traffic(tmp_path).slots()) == 8, "a new worker finds what the old ones left"
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_folder_a_worker_knows_what_it_read_itself() -> None:
    alone = Traffic(None)
    seen(alone, 3)
    assert pictures(alone.slots()) == 3
    assert pictures(Traffic(None).slots()) == 0


def test_models_and_hours_are_kept_apart(tmp_path: Path, at: list[float]) -> None:
    counts = Traffic(tmp_path)
    seen(counts, 1)
    seen(counts, 2, model=OTHER)
    at[0] += HOUR
    seen(counts, 4)
    slots = counts.slots()
    begin = int(at[0]) // HOUR * HOUR
    assert [(slot.start, slot.model) for slot in slots] == [
        (begin - HOUR, MODEL),
        (begin - HOUR, OTHER),
        (begin, MODEL),
    ]
    assert [pictures([slot]) for slot in slots] == [1, 2, 4]


@pytest.mark.parametrize("kept", [True, False])
def test_old_hours_are_forgotten(tmp_path: Path, at: list[float], kept: bool) -> None:
    counts = Traffic(tmp_path if kept else None)
    for _ in range(KEPT_HOURS + 20):
        seen(counts, 1)
        counts.write()
        at[0] += HOUR
    assert KEPT_HOURS - 1 <= pictures(counts.slots()) <= KEPT_HOURS + 1
    if kept:
        assert len(list(tmp_path.iterdir())) <= KEPT_HOURS + 1


def test_files_are_bounded_and_leftovers_of_kills_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "MOST_FILES", 10)
    old = tmp_path / f"{hours_ago(3)}-{'0' * 12}.json.new"
    own = tmp_path / "notes.json"
    for path in (old, own):
        path.write_text("{}")
    for _ in range(30):
        new = Traffic(tmp_path)
        seen(new, 1)
        new.write()
    assert not old.exists()
    assert own.exists()
    assert len(list(tmp_path.glob("1*.json"))) <= 10


def test_damaged_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    counts = Traffic(tmp_path)
    seen(counts, 2)
    counts.write()
    [path] = tmp_path.iterdir()
    content = json.loads(path.read_text())
    names = [f"{hours_ago(0)}-{number:012d}.json" for number in range(4)]
    (tmp_path / names[0]).write_bytes(path.read_bytes()[:50])
    (tmp_path / names[1]).write_text(json.dumps(content | {"counts": {"predict": {"outcome": [1]}}}))
    (tmp_path / names[2]).write_text(json.dumps(content | {"format": 2}))
    (tmp_path / names[3]).mkdir()
    assert pictures(counts.slots()) == 2


def test_nothing_is_lost_while_the_folder_takes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    folder = tmp_path / "traffic"
    folder.write_text("in the way")
    counts = Traffic(folder)
    for _ in range(3):
        seen(counts, 1)
        assert pictures(counts.slots()) >= 1
    assert [record.levelname for record in caplog.records] == ["WARNING"], "it is said once"
    folder.unlink()
    assert pictures(counts.slots()) == 3
    assert pictures(Traffic(folder).slots()) == 3


def test_what_others_counted_is_seen_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, counts = Traffic(tmp_path), Traffic(tmp_path)
    seen(other, 5)
    other.write()
    seen(counts, 2)
    counts.write()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(traffic, "_write", full)
    seen(counts, 1)
    assert pictures(counts.slots()) == 8, "each picture once, including the worker's own latest ones"


def test_a_worker_that_cannot_write_forgets_old_hours_too(tmp_path: Path, at: list[float]) -> None:
    folder = tmp_path / "traffic"
    folder.write_text("in the way")
    counts = Traffic(folder)
    for _ in range(KEPT_HOURS + 20):
        seen(counts, 1)
        counts.write()
        at[0] += HOUR
    assert KEPT_HOURS - 1 <= pictures(counts.slots()) <= KEPT_HOURS + 1


def test_a_folder_that_cannot_be_read_is_no_error_before_the_first_picture(tmp_path: Path) -> None:
    """Otherwise, `/metrics`, which reads the folder each time, would fail."""
    folder = tmp_path / "traffic"
    folder.write_text("in the way")
    assert Traffic(folder).slots() == []


def test_old_hours_go_without_any_picture(tmp_path: Path, at: list[float]) -> None:
    counts = Traffic(tmp_path)
    seen(counts, 1)
    counts.write()
    at[0] += (KEPT_HOURS + 2) * HOUR
    assert Traffic(tmp_path).slots() == []
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_was_wrong_for_a_while(tmp_path: Path, at: list[float]) -> None:
    """Future hours are ignored; hours of 1970 are found by their names and deleted."""
    right = at[0]
    for wrong in (right + 400 * 24 * HOUR, 5.0):
        at[0] = wrong
        counts = Traffic(tmp_path)
        seen(counts, 3)
        counts.write()
        assert pictures(counts.slots()) == 3
    at[0] = right
    counts = Traffic(tmp_path)
    seen(counts, 1)
    assert pictures(counts.slots()) == 1
    assert len(list(tmp_path.iterdir())) == 2, "its own file, and that of a future hour"


def test_files_hold_counts_and_nothing_else(tmp_path: Path) -> None:
    counts = Traffic(tmp_path)
    seen(counts, 500)
    counts.write()
    [path] = tmp_path.iterdir()
    text = path.read_text()
    assert len(text) < 2000, "however many pictures"
    assert set(json.loads(text)) == {"start", "model", "counts", "format"}
    assert not re.search(r"\d+\.\d", text), "no values of single pictures"


def test_gauges_are_of_the_last_day_of_this_model(at: list[float]) -> None:
    reference = reference_of(MODEL, [(LIGHT, 200)])
    counts = Traffic(None)
    seen(counts, 150)
    at[0] += 26 * HOUR
    show(counts.slots(), MODEL, reference)
    assert gauge("digits_drift_pictures", kind="predict") == 0
    assert math.isnan(gauge("digits_drift", against="reference", kind="predict", feature="paper"))
    seen(counts, 100, DARK)
    seen(counts, 100)
    seen(counts, 999, model=OTHER)
    show(counts.slots(), MODEL, reference)
    assert gauge("digits_drift_pictures", kind="predict") == 200
    for against in ("reference", "before"):
        where = {"against": against, "kind": "predict"}
        assert gauge("digits_drift_distance", **where, feature="paper") == 0.5
        assert gauge("digits_drift", **where, feature="paper") == 1
        assert gauge("digits_drift", **where, feature="stroke") == 0
    show(counts.slots(), MODEL, None)
    assert math.isnan(gauge("digits_drift", against="reference", kind="predict", feature="paper"))


def gauge(name: str, **labels: str) -> float:
    value = REGISTRY.get_sample_value(name, labels)
    assert value is not None
    return value


def test_writing_is_atomic(tmp_path: Path) -> None:
    """A concurrent reader sees the old or the new file."""
    counts = Traffic(tmp_path)
    seen(counts, 1)
    counts.write()
    [path] = tmp_path.iterdir()
    before = path.stat().st_ino
    seen(counts, 1)
    counts.write()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_ino != before
