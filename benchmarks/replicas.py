"""The costs and the throughput of replicas of the service: `make bench-replicas` (docs/scale.md).

1, 2 and 4 replicas with one worker each run behind the nginx of `docker compose` (`--bare`: bare processes
behind the same configuration, for a machine without Docker), and wrk uses 16 and 64 connections. The replicas
and the load generator share this machine's cores. The throughput therefore cannot grow once the cores are
busy, and says little about replicas on cores of their own. These figures do apply to them:

- the *cost*: processor time of service and proxy for one answer, in ms;
- the *share of the linear*: the service's cost with one replica divided by its cost with n replicas. 1
  means that an answer costs the same with any number of replicas, so n cores give n times as many answers as
  one, until the proxy or the network is saturated;
- the answers per second *for each busy core*: throughput divided by the cores that service, proxy, wrk and
  the rest of the machine kept busy.

`cpu_rest` is the processor time of everything else on the machine (the kernel's threads, Docker, other
programs), in ms per response. If it is large, the machine was not idle otherwise; throughput and latencies
then say little, and costs are less reliable too. Figures are medians over rounds, with minimum and maximum.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.conditions import RESULTS, conditions, write
from benchmarks.load_cost import loaded
from benchmarks.replica_sets import bare, composed, in_compose
from benchmarks.serving_contenders import as_form
from benchmarks.serving_load import drawn_seven
from digits.reader import champion_or_default

REPLICAS = (1, 2, 4)
CONNECTIONS = (16, 64)
_KEYS = (
    "rate",
    "p50",
    "p99",
    "refused",
    "failed",
    "cpu_service",
    "cpu_proxy",
    "cpu_wrk",
    "cpu_rest",
    "busy_cores",
)

Rounds = dict[int, dict[int, list[dict[str, float]]]]
"""The measurements of all rounds, by the number of replicas and of connections."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bare", action="store_true", help="processes of this machine in place of containers"
    )
    parser.add_argument(
        "--model", type=Path, default=champion_or_default(), help="model folder (with --bare)"
    )
    parser.add_argument("--rounds", type=int, default=8, help="8: the speed of a shared machine varies")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--port", type=int, default=3170, help="the first of six ports (3170)")
    parser.add_argument("--out", type=Path, help="JSON (benchmarks/results/replicas[-bare].json)")
    options = parser.parse_args()
    rounds = measure(options)
    table = {replicas: {at: summary(each) for at, each in by.items()} for replicas, by in rounds.items()}
    shares = {replicas: share_of_linear(table, replicas) for replicas in table}
    show(table, shares)
    kind = "bare processes" if options.bare else "docker compose"
    out = options.out or RESULTS / ("replicas-bare.json" if options.bare else "replicas.json")
    command = "make bench-replicas" + (" ARGS=--bare" if options.bare else "")
    write(out, conditions(command) | {"run by": kind, "replicas": table, "share of the linear": shares})


def measure(options: argparse.Namespace) -> Rounds:
    """Measure all numbers of replicas in every round, so that other work affects them equally."""
    payload = as_form(drawn_seven())
    rounds: Rounds = {replicas: {at: [] for at in CONNECTIONS} for replicas in REPLICAS}
    with ExitStack() as stack:
        compose = None if options.bare else stack.enter_context(composed(options.port))
        for number in range(options.rounds):
            for replicas in REPLICAS:
                running = (
                    in_compose(compose, replicas, payload)
                    if compose
                    else bare(replicas, payload, options.model.resolve(), options.port)
                )
                with running as found:
                    loaded(found.url, payload, 16, 1, found.trees)  # warm up every worker
                    for at in CONNECTIONS:
                        measured = loaded(found.url, payload, at, options.seconds, found.trees)
                        rounds[replicas][at].append(measured)
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    return rounds


def summary(each: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median, minimum and maximum of every figure over rounds."""
    found = {}
    for key in _KEYS:
        values = [one[key] for one in each]
        found[key] = {
            "median": round(statistics.median(values), 4),
            "least": round(min(values), 4),
            "most": round(max(values), 4),
        }
    return found


def share_of_linear(table: dict[int, Any], replicas: int) -> float:
    """The service's cost of an answer with one replica, relative to that with `replicas` replicas.

    It is the mean over the numbers of connections.
    """
    shares = [
        table[1][at]["cpu_service"]["median"] / table[replicas][at]["cpu_service"]["median"]
        for at in CONNECTIONS
    ]
    return round(statistics.fmean(shares), 3)


def show(table: dict[int, Any], shares: dict[int, float]) -> None:
    """Print the table."""
    print(
        "| replicas | connections | answers per second | p50, ms | p99, ms | CPU per answer, ms: service "
        "| proxy | wrk | rest | busy cores | answers per second and busy core | share of linear scaling |\n"
        + "|---" * 12
        + "|"
    )
    for replicas, by in table.items():
        for at, row in by.items():
            middle = {key: value["median"] for key, value in row.items()}
            spread = f"{row['rate']['least']:.0f} to {row['rate']['most']:.0f}"
            print(
                f"| {replicas} | {at} | {middle['rate']:.0f} ({spread}) "
                f"| {middle['p50']:.1f} | {middle['p99']:.1f} | {middle['cpu_service']:.2f} "
                f"| {middle['cpu_proxy']:.2f} | {middle['cpu_wrk']:.2f} "
                f"| {middle['cpu_rest']:.2f} | {middle['busy_cores']:.2f} "
                f"| {middle['rate'] / middle['busy_cores']:.0f} | {shares[replicas]:.2f} |"
            )


if __name__ == "__main__":
    main()
