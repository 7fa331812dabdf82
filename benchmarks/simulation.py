"""Simulates 1 to 400 connections, to compare with measurements, and 50 replicas: `make simulation`.

In the model (benchmarks/simulated), the workers and wrk share the cores. Each worker is an event loop with
the service's queues and limits. The inputs are times that were measured while no request had to wait (the
`inputs` of `make bench-curve`). Only two inputs come from the curve itself: how many cores other programs
used, and how many connections each worker had accepted. A simulated figure is *right* if it is within 15 % of
the measured median, or between the smallest and the largest measured round.

Writes docs/images/simulation.png with --picture, and prints the tables of docs/scale.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.conditions import RESULTS, read
from benchmarks.serving_contenders import ROOT
from benchmarks.simulated import cluster, wrk
from benchmarks.simulated.cluster import Setting
from benchmarks.simulated.times import Times

PICTURE = ROOT / "docs" / "images" / "simulation.png"
FIGURES = ("rate", "p50", "p99")
TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure at one number of connections, simulated and as measured in several rounds."""

    connections: int
    figure: str
    simulated: float
    measured: Sequence[float]

    @property
    def right(self) -> bool:
        middle = statistics.median(self.measured)
        least = min(*self.measured, middle * (1 - TOLERANCE))
        most = max(*self.measured, middle * (1 + TOLERANCE))
        return least <= self.simulated <= most


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the measurements")
    parser.add_argument("--picture", action="store_true", help=f"draw {PICTURE.relative_to(ROOT)}")
    parser.add_argument("--only-curve", action="store_true", help="without the 50 replicas")
    options = parser.parse_args()
    curves = {workers: read(options.results / f"curve-{workers}.json") for workers in (1, 2)}
    found = {workers: list(compared(curve)) for workers, curve in curves.items()}
    for workers, each in found.items():
        print(f"\n{workers} worker{'s' * (workers > 1)}, measured {curves[workers]['date']}:\n")
        print("\n".join(table(each)))
        print(f"{sum(one.right for one in each)} of {len(each)} figures are right.")
    if options.picture:
        draw(found)
    if not options.only_curve:
        costs, replicas = (read(options.results / f"{name}.json") for name in ("costs", "replicas-bare"))
        print("\n50 replicas with one core each:\n")
        print("\n".join(fifty(Times.of(curves[1]), costs, replicas)))


def compared(curve: Mapping[str, Any], connections: Container[int] = range(10_000)) -> Iterator[Compared]:
    """A curve's figures at these numbers of connections, and the medians of one simulation per round."""
    times = Times.of(curve)
    for at, point in curve["points"].items():
        if int(at) not in connections:
            continue
        rounds = zip(point["accepted"], point["seconds"], strict=True)
        runs = [
            wrk.run(times, _divided(int(at), accepted), seconds, seed)
            for seed, (accepted, seconds) in enumerate(rounds)
        ]
        told = {
            "rate": [run.rate for run in runs],
            "p50": [run.percentile(0.5) for run in runs],
            "p99": [run.percentile(0.99) for run in runs],
        }
        for figure in FIGURES:
            yield Compared(int(at), figure, statistics.median(told[figure]), point[figure])


def _divided(connections: int, accepted: Sequence[int]) -> list[int]:
    """All connections, divided as those were that had been accepted in the middle of the measurement."""
    upto = [round(connections * part / sum(accepted)) for part in accumulate(accepted, initial=0)]
    return [after - before for before, after in pairwise(upto)]


def table(found: Sequence[Compared]) -> Iterator[str]:
    """The lines of a table with simulated and measured figures, in which wrong ones are marked."""
    yield "| connections | answers per second | measured | p50, ms | measured | p99, ms | measured |"
    yield "|---" * 7 + "|"
    for at in sorted({one.connections for one in found}):
        cells = [str(at)]
        for one in (one for one in found if one.connections == at):
            digits = 0 if one.figure == "rate" else 1
            cells.append(f"{one.simulated:.{digits}f}" + " (wrong)" * (not one.right))
            middle, least, most = statistics.median(one.measured), min(one.measured), max(one.measured)
            cells.append(f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})")
        yield f"| {' | '.join(cells)} |"


def behind_proxy(
    times: Times, costs: Mapping[str, Any], replicas: Mapping[str, Any]
) -> tuple[Times, Setting]:
    """The times of a replica, and a setting with the proxy's and the photo's measured costs.

    nginx sends each request to a replica on a new connection, and the replica has a core for itself.
    """
    single = replicas["replicas"]["1"]["16"]
    photo = costs["kinds"]["photo, 12 megapixels"]
    setting = Setting(
        rate=0,
        proxy=single["cpu_proxy"]["median"] / 1000,
        photo=photo["service_ms"] / 1000,
        photo_proxy=photo["proxy_ms"] / 1000,
    )
    return replace(times, contention=1.0, others=0.0), setting


def fifty(times: Times, costs: Mapping[str, Any], replicas: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a table on 50 replicas, with one row per setting."""
    times, usual = behind_proxy(times, costs, replicas)
    replica, core = 1 / (times.answer + times.accepting), 1 / usual.proxy
    yield (
        f"A replica can give at most {replica:,.0f} answers per second, and one core of the proxy can handle "
        f"{core:,.0f} requests per second."
    )
    yield ""
    yield (
        "| setting | arrivals per second | answers per second | p50, ms | p99, ms | refused "
        "| replicas busy | proxy busy |"
    )
    yield "|---" * 8 + "|"
    for name, setting in settings(times, usual):
        out = cluster.run(times, setting)
        since = setting.lost_at or 0.0
        until = since + cluster.KNOWN_SECONDS if setting.lost_at else float("inf")
        yield (
            f"| {name} | {setting.rate:.0f} | {out.rate:.0f} | {out.percentile(0.5, since, until):.1f} "
            f"| {out.percentile(0.99, since, until):.1f} | {out.refused} | {out.replicas_busy:.0%} "
            f"| {min(out.proxy_busy, 1):.0%} |"
        )


def settings(times: Times, usual: Setting) -> Iterator[tuple[str, Setting]]:
    """The name and the parameters of each row."""
    core, replica = 1 / usual.proxy, 1 / (times.answer + times.accepting)
    for share in (0.25, 0.5, 0.75, 0.9, 1.1):
        yield f"one proxy core, {share:.0%} of its capacity", replace(usual, rate=share * core)
    needed = int(50 * replica / core) + 1
    wide = replace(usual, proxy_cores=needed, seconds=2.0)
    for share in (0.5, 0.7, 0.9):
        loaded = replace(wide, rate=share * 50 * replica)
        for policy in ("random", "round robin", "least connections"):
            name = f"{needed} proxy cores, {share:.0%} of the replicas' capacity, {policy}"
            yield name, replace(loaded, policy=policy)
    half = replace(wide, rate=0.5 * 50 * replica)
    name = "50% of the replicas' capacity, "
    yield f"{name}1 % photos, random", replace(half, photos=0.01)
    yield f"{name}1 % photos, least connections", replace(half, photos=0.01, policy="least connections")
    lost = replace(half, seconds=3.5, lost_at=1.0)
    yield f"{name}in the second after a node is lost", lost


def draw(found: Mapping[int, Sequence[Compared]]) -> None:
    """Measured and simulated curves, side by side for each number of workers."""
    mpl.use("Agg")
    figure = Figure((9, 6), layout="constrained")
    grid = figure.subplots(len(FIGURES) - 1, len(found), sharex=True, sharey="row", squeeze=False)
    colours = {"rate": "tab:blue", "p50": "tab:green", "p99": "tab:red"}
    for column, (workers, each) in enumerate(found.items()):
        for name in FIGURES:
            axes = grid[0 if name == "rate" else 1][column]
            points = [one for one in each if one.figure == name]
            at = [one.connections for one in points]
            middle = [statistics.median(one.measured) for one in points]
            below = [now - min(one.measured) for now, one in zip(middle, points, strict=True)]
            above = [max(one.measured) - now for now, one in zip(middle, points, strict=True)]
            colour, label = colours[name], "answers per second" if name == "rate" else name
            axes.errorbar(
                at,
                middle,
                (below, above),
                fmt="o",
                markersize=4,
                capsize=3,
                color=colour,
                label=f"{label}, measured",
            )
            axes.plot(at, [one.simulated for one in points], color=colour, label=f"{label}, simulated")
            axes.set(xscale="log")
            axes.legend(fontsize=8)
            axes.grid(alpha=0.3)
        grid[0][column].set(title=f"{workers} worker{'s' * (workers > 1)}")
        grid[1][column].set(xlabel="connections", yscale="log")
    grid[0][0].set(ylabel="answers per second", ylim=(0, 1000))
    grid[1][0].set(ylabel="latency, ms")
    figure.savefig(PICTURE, dpi=90, metadata={"Software": None})
    print(f"\n{PICTURE.relative_to(ROOT)} drawn.")


if __name__ == "__main__":
    main()
