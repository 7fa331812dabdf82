"""Compare a recorded run with its reproduction: which metrics differ, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from pipeline.reproduction.recorded import DIRTY, Recorded

BOUNDS = (".low", ".high")  # suffixes of metrics that are bounds of an interval
MISSING = "-"


def same(recorded: Recorded, again: Recorded) -> bool:
    """Whether all metrics are the same, and the weights too if they were recorded."""
    return not differing(recorded, again) and recorded.weights in ("", again.weights)


def differing(recorded: Recorded, again: Recorded) -> list[str]:
    """Return the names of metrics that are not exactly equal, or that only one of the runs has."""
    names = recorded.figures.keys() | again.figures.keys()
    return sorted(name for name in names if not _equal(recorded.figures.get(name), again.figures.get(name)))


def table(recorded: Recorded, again: Recorded) -> Table:
    """Return a table with a row per metric; the bounds of its interval only if they differ."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("metric", overflow="fold")
    for name in ("recorded", "reproduced", "same"):
        made.add_column(name, justify="right", no_wrap=True)
    others = set(differing(recorded, again))
    for name in sorted(recorded.figures.keys() | again.figures.keys()):
        if name in others or not name.endswith(BOUNDS):
            values = recorded.figures.get(name), again.figures.get(name)
            made.add_row(name, *map(_written, values), "no" if name in others else "yes")
    if recorded.weights:
        equal = "yes" if recorded.weights == again.weights else "no"
        made.add_row("weights (SHA-256)", recorded.weights[:16], again.weights[:16], equal)
    return made


def verdict(recorded: Recorded, again: Recorded) -> str:
    """Return the result in a sentence."""
    others, total = differing(recorded, again), len(recorded.figures.keys() | again.figures.keys())
    weights = {"": "its weights were not recorded", again.weights: "its weights are the same, bit for bit"}
    told = weights.get(recorded.weights, "its weights are different")
    if others:
        return f"Run {recorded.name!r}: {len(others)} of {total} metrics differ, and {told}."
    return f"Run {recorded.name!r}: all {total} metrics are the same, and {told}."


def reasons(recorded: Recorded, again: Recorded) -> list[str]:
    """Return the differences between the two runs that are on record and may explain the result."""
    found = []
    data = [name for name in recorded.data if again.data.get(name) != recorded.data[name]]
    if data:
        found.append(f"different data: the hashes of {', '.join(sorted(data))} differ from the record")
    if recorded.processor and recorded.processor != again.processor:
        bfloat16 = _true(recorded.params.get("bfloat16", ""))
        rounded = "; training uses bfloat16 if the processor supports it" if bfloat16 else ""
        found.append(f"different processor: {recorded.processor} then, {again.processor} now{rounded}")
    found += other_packages(recorded, again)
    if recorded.uncommitted:
        changed = f" ({recorded.changed})" if recorded.changed else ""
        found.append(f"different code: the run's code had uncommitted changes{changed}")
    if not recorded.commit:
        found.append("possibly different code: the run has no commit on record")
    if recorded.evaluated and recorded.evaluated.removesuffix(DIRTY) != recorded.commit:
        found.append(f"its metrics were computed later by different code: commit {recorded.evaluated[:12]}")
    return found or ["the record does not explain it"]


def other_packages(recorded: Recorded, again: Recorded) -> list[str]:
    """Return a phrase on numerical packages with different versions; [] if all are the same or unknown."""
    if not recorded.packages:
        return []
    then, now = _versions(recorded.packages), _versions(again.packages)
    others = [
        f"{name} {then.get(name, MISSING)} then, {now.get(name, MISSING)} now"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    return [f"different packages: {'; '.join(others)}"] if others else []


def _versions(told: str) -> Mapping[str, str]:
    pairs: Sequence[tuple[str, str, str]] = [one.partition(" ") for one in told.split(", ")]
    return {name: version for name, _, version in pairs}


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return False
    return one == other or (math.isnan(one) and math.isnan(other))


def _written(value: float | None) -> str:
    return MISSING if value is None else f"{value:.6g}"


def _true(text: str) -> bool:
    return text == str(True)
