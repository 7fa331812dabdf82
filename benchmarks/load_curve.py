"""Throughput and latencies from 1 to 400 connections, and the inputs of the simulation: `make bench-curve`.

Before each point of the curve, it measures the *inputs* of `benchmarks/simulation.py` with the same picture
while no request has to wait: latencies of single requests on one connection, and processor time of the
service and of wrk for an answer, a refusal and a refusal on a new connection. Inputs and points alternate
because the speed of a shared machine varies by a half from second to second. In the middle of each point, it
counts how many of the connections each worker has accepted, because the kernel divides them differently each
time. After all rounds, it measures how much more processor time a drawing takes while two processes read.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.conditions import RESULTS, conditions, write
from benchmarks.load_cost import loaded
from benchmarks.low_load import connecting, connections_of_workers, contention, latencies, opening_ms
from benchmarks.serving_contenders import Contender, as_form, service
from benchmarks.serving_load import drawn_seven, running
from digits.reader import champion_or_default

CONNECTIONS = (1, 2, 4, 8, 16, 32, 64, 100, 200, 400)
WARM, SAMPLES = 20, 30  # single requests before each point: to warm caches up, and to measure
_POINT = ("rate", "p50", "p99", "refused", "requests", "seconds", "cpu_service", "cpu_wrk", "cpu_rest")
_LOW = ("p50", "cpu_service", "cpu_wrk")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=champion_or_default(), help="model folder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--pause", type=float, default=0, help="seconds of rest before each measurement (0)")
    parser.add_argument("--port", type=int, default=3200, help="the first of two ports (3200)")
    parser.add_argument("--out", type=Path, help="JSON (benchmarks/results/curve-WORKERS.json)")
    options = parser.parse_args()
    model, form = options.model.resolve(), as_form(drawn_seven())
    one, many = service(form, 1, model), service(form, options.workers, model)
    inputs: list[dict[str, Any]] = []
    curves = []
    with running([one], options.port), running([many], options.port + 1):
        for each in (one, many):
            loaded(each.url, form, 16, 1, {})  # warm up every worker
        for number in range(options.rounds):
            curves.append(_curve(one, many, options.seconds, options.pause, inputs))
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    result = conditions(f"make bench-curve ARGS='--workers {options.workers} --pause {options.pause:g}'") | {
        "workers": options.workers,
        "inputs": inputs_of(inputs) | {"contention": contention(model)},
        "points": points_of(curves),
    }
    show(result)
    write(options.out or RESULTS / f"curve-{options.workers}.json", result)


def _inputs(contender: Contender, pause: float) -> dict[str, Any]:
    """Measurements with one worker and one connection."""
    assert contender.process is not None
    trees = {"service": [contender.process.pid]}
    time.sleep(pause)
    refusing = contender.url.replace("/predict", "/livez")
    samples = latencies(contender.port, contender.payload, WARM + SAMPLES)[WARM:]
    answer = loaded(contender.url, contender.payload, 1, 1, trees)
    refusal = loaded(refusing, contender.payload, 1, 1, trees)
    new = connecting(contender.port, contender.payload, "/livez", trees, SAMPLES)
    opening = opening_ms(contender.port, max(CONNECTIONS))
    return {
        "samples_ms": samples,
        "answer": answer,
        "refusal": refusal,
        "refusal_on_new_ms": new,
        "connecting_ms": opening,
    }


def _curve(
    one: Contender, contender: Contender, seconds: float, pause: float, inputs: list[dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """One round of the curve; `inputs` is extended by those measured with one worker before each point."""
    assert contender.process is not None
    service = contender.process.pid

    def counted() -> list[int]:
        time.sleep(seconds / 2)
        return connections_of_workers(service, contender.port)

    found: dict[int, dict[str, Any]] = {}
    for at in CONNECTIONS:
        inputs.append(_inputs(one, pause))
        time.sleep(pause)
        with ThreadPoolExecutor(1) as pool:
            accepted = pool.submit(counted)
            found[at] = loaded(contender.url, contender.payload, at, seconds, {"service": [service]})
        found[at]["accepted"] = accepted.result()
        time.sleep(1.5)  # until the queue is empty and delayed refusals have been sent
    return found


def inputs_of(each: list[dict[str, Any]]) -> dict[str, Any]:
    """All single latencies, and the means of the processor times, in ms."""
    middle = {
        name: {key: round(statistics.fmean(one[name][key] for one in each), 4) for key in _LOW}
        for name in ("answer", "refusal")
    }
    usual = statistics.fmean(statistics.median(one["samples_ms"]) for one in each)
    return {
        **middle,
        "samples_p50": round(usual, 4),
        **{
            key: round(statistics.fmean(one[key] for one in each), 4)
            for key in ("refusal_on_new_ms", "connecting_ms")
        },
        "samples_ms": [sample for one in each for sample in one["samples_ms"]],
    }


def points_of(rounds: list[dict[int, dict[str, Any]]]) -> dict[int, dict[str, list[Any]]]:
    """For each number of connections, every figure of every round, and the connections of each worker."""
    return {
        at: {key: [round(one[at][key], 4) for one in rounds] for key in _POINT}
        | {"accepted": [one[at]["accepted"] for one in rounds]}
        for at in rounds[0]
    }


def show(result: dict[str, Any]) -> None:
    """Print the curve."""
    inputs = {key: value for key, value in result["inputs"].items() if key != "samples_ms"}
    print(f"inputs: {inputs}")
    print(
        "| connections | answers per second | p50, ms | p99, ms | refused | CPU per answer, ms |\n"
        + "|---" * 6
        + "|"
    )
    for at, point in result["points"].items():
        told = [
            f"{statistics.median(point[key]):.1f} ({min(point[key]):.1f} to {max(point[key]):.1f})"
            for key in ("rate", "p50", "p99")
        ]
        refused = sum(point["refused"]) / max(sum(point["requests"]), 1)
        print(
            f"| {at} | {' | '.join(told)} | {refused:.0%} | {statistics.median(point['cpu_service']):.2f} |"
        )


if __name__ == "__main__":
    main()
