"""The definition of "flat" for `benchmarks/endurance.py`, and the picture of a run. Its limits are fixed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import theilslopes

MEMORY_LIMIT = 5.0  # MB that all processes together may gain in 100,000 requests
TIME_LIMIT = 0.10  # share of the median by which times may grow in 100,000 requests
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Slope:
    """The median slope between two windows (Theil and Sen), and its confidence interval of `CONFIDENCE`.

    The unit is that of the values, per 100,000 requests. Outliers, which a busy machine causes, hardly change
    the median.
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float], window: int) -> Slope:
        """The slope over the second half of the windows, of `window` requests each."""
        second = values[len(values) // 2 :]
        found = theilslopes(second, [at * window / 100_000 for at in range(len(second))], CONFIDENCE)
        return cls(float(found.slope), float(found.low_slope), float(found.high_slope))


def verdict(run: dict[str, Any]) -> dict[str, bool]:
    """Each rule, and whether the run meets it.

    Memory is flat if the whole interval is below the limit. Times, and latencies most of all, are noisy on a
    shared machine, so they fail only if the whole interval is above the limit.
    """
    windows, size = run["windows"], run["window"]
    memory = Slope.of([one["own_mb"] for one in windows], size)
    rules = {f"memory grows by less than {MEMORY_LIMIT:.0f} MB in 100,000": memory.high < MEMORY_LIMIT}
    for name in ("p50_ms", "p99_ms", "cpu_ms"):
        values = [one[name] for one in windows]
        middle = sorted(values)[len(values) // 2]
        rules[f"{name} does not grow by {TIME_LIMIT:.0%} in 100,000"] = (
            Slope.of(values, size).low < TIME_LIMIT * middle
        )
    before, after = run["idle_before"], run["idle_after"]
    half = windows[len(windows) // 2]["threads"]
    return rules | {
        "descriptors at rest are as many as before": after["descriptors"] == before["descriptors"],
        "threads are no more than at half": after["threads"] <= half,
        "the same processes answer": sorted(after["processes"]) == sorted(before["processes"]),
        "every answer was right": run["wrong"] == {},
    }


def draw(run: dict[str, Any], to: Path) -> None:
    """Plot each process's memory, and descriptors, threads and latencies, against the number of requests."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    windows, size = run["windows"], run["window"]
    at = [(number + 1) * size / 1000 for number in range(len(windows))]
    figure, (memory, counts, times) = plt.subplots(3, 1, figsize=(9, 8.5), sharex=True, layout="constrained")
    for pid, name in run["names"].items():
        memory.plot(at, [one["processes"].get(pid, {}).get("own_mb") for one in windows], label=name)
    memory.set_ylabel("memory without files, MB")
    counts.plot(at, [one["descriptors"] for one in windows], label="file descriptors, all processes")
    counts.plot(at, [one["threads"] for one in windows], label="threads, all processes")
    counts.set_ylabel("number")
    times.plot(at, [one["p50_ms"] for one in windows], label="median of all requests")
    times.plot(at, [one["drawing_p50_ms"] for one in windows], label="median of drawings")
    times.plot(at, [one["p99_ms"] for one in windows], label="99th percentile of all requests")
    times.plot(at, [one["cpu_ms"] for one in windows], label="processor time of a request")
    times.set(ylabel="milliseconds", yscale="log", xlabel="thousand requests")
    for axes in (memory, counts, times):
        for swap in run["swaps"]:
            axes.axvline(swap / 1000, color="grey", linestyle=":", linewidth=1)
        axes.grid(alpha=0.3)
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    for axes in (memory, counts):
        axes.set_ylim(bottom=0)
    figure.suptitle(f"{run['requests']:,} requests; dotted lines: another model takes over")
    figure.savefig(to, dpi=110)
    plt.close(figure)
