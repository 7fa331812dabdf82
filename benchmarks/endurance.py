"""Sends 200,000 requests, and checks that memory and times of the service stay flat: `make bench-endurance`.

Eight clients send drawings, numbers, papers, photos, damaged files, wrong types and feedback, read the
metrics, and sometimes hang up. The model is replaced twice during the run. After every window of requests,
memory, descriptors and threads of all processes are measured at rest, when the service has returned its free
memory. `endurance_rule.py` defines "flat". At the end, a thousand connections (slow, idle, half-sent or
active) are dropped at the same time, and the next plain request is timed. docs/images/endurance.png shows a
whole run. It needs Linux. Ctrl-C ends the run early and keeps the measurements so far.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import endurance_rule
from benchmarks.endurance_requests import Answer, Clients, Pictures
from benchmarks.endurance_state import names, processor_seconds, state
from benchmarks.serving_contenders import ROOT, Contender, as_form, service
from benchmarks.serving_load import drawn_seven, processes, running
from digits.reader import DEFAULT_MODEL
from service.runtime.memory import RETURN_SECONDS
from tests.service.crowd import Crowd

CLIENTS = 8
SWAPS = (0.25, 0.75)  # of the requests: when the model is replaced
WARM = 4000  # requests before the first window: they warm all paths and start all threads
WARMING = 5  # times at most that these are sent, until every worker has started its decoder
REST = RETURN_SECONDS + 1  # seconds until free memory is returned and closed connections are gone
HELD = 3.0  # seconds that a crowd stays connected; uvicorn closes connections that rest for 5
KEPT = 1000  # pictures of feedback; then the folder is full, and requests take another path


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="endurance-") as folder:
        model = Path(folder) / "champion"
        shutil.copytree(DEFAULT_MODEL, model)
        kept = {"FEEDBACK_DIR": f"{folder}/feedback", "FEEDBACK_MOST": str(KEPT)}
        kept["TRAFFIC_DIR"] = f"{folder}/traffic"
        server = service(as_form(drawn_seven()), options.workers, model, **kept)
        with running([server], options.port):
            run = endure(server, model, options.workers, options.requests, options.window)
            run["recovery"] = recovery(server)
    run["rules"] = endurance_rule.verdict(run)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(run, indent=1) + "\n")
    if options.picture:
        endurance_rule.draw(run, options.picture)
    show(run)
    return 0 if all(run["rules"].values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--window", type=int, default=4_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=3130)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "endurance.json")
    parser.add_argument("--picture", type=Path, help="where the curves are drawn")
    return parser.parse_args()


def endure(server: Contender, model: Path, workers: int, requests: int, window: int) -> dict[str, Any]:
    """Send all requests, and measure the processes after each window."""
    pictures = Pictures.made()
    swaps = [round(share * requests / window) * window for share in SWAPS]
    windows: list[dict[str, Any]] = []
    wrong: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    everything = 1 + 2 * workers  # a supervisor, and each worker with its decoder
    for _ in range(WARMING):
        asked(server, pictures, range(-WARM, 0), wrong)
        if len(processes(server)) == everything:
            break
    time.sleep(REST)
    before = state(server)
    ended: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: ended.append(number))
    done, seconds, spent = 0, 0.0, processor_seconds(server)
    clients = Clients(server.port)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for first in range(0, requests, window):
            if first in swaps:
                promote(model, f"after {first}")
            numbers = range(first, min(first + window, requests))
            begin = time.perf_counter()
            answers = list(pool.map(lambda number: clients.ask(pictures.request(number)), numbers))
            seconds += time.perf_counter() - begin
            statuses.update(f"{one.kind}: {one.status}" for one in answers)
            wrong.update(f"{one.kind}: {one.status}" for one in answers if not one.right)
            cost = round((processor_seconds(server) - spent) / len(numbers) * 1000, 2)
            clients.close()  # the service would close connections that rest
            time.sleep(REST)
            spent = processor_seconds(server)
            windows.append(latencies(answers) | state(server) | {"cpu_ms": cost})
            done = numbers.stop
            print(f"{numbers.stop:,}: {brief(windows[-1])}", file=sys.stderr, flush=True)
            if ended:
                break
    return {
        "requests": done,
        "window": window,
        "seconds": round(seconds),
        "names": names(server),
        "swaps": [swap for swap in swaps if swap < done],
        "idle_before": before,
        "idle_after": state(server),
        "wrong": dict(wrong),
        "statuses": dict(sorted(statuses.items())),
        "windows": windows,
    }


def asked(server: Contender, pictures: Pictures, numbers: range, wrong: Counter[str]) -> None:
    """Send these requests, and count only the wrong answers."""
    clients = Clients(server.port)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for one in pool.map(lambda number: clients.ask(pictures.request(number)), numbers):
            if not one.right:
                wrong[f"{one.kind}: {one.status}"] += 1
    clients.close()


def promote(folder: Path, version: str) -> None:
    """Replace the manifest by one with another version, as a promotion does; the network is the same."""
    manifest = json.loads((folder / "manifest.json").read_text()) | {"version": version}
    temporary = folder / "manifest.json.new"
    temporary.write_text(json.dumps(manifest))
    temporary.replace(folder / "manifest.json")


def latencies(answers: list[Answer]) -> dict[str, float]:
    """Percentiles in ms over the answered requests, and over drawings alone."""
    every = sorted(one.seconds * 1000 for one in answers if one.status)
    drawings = [one.seconds * 1000 for one in answers if one.kind == "drawing"]
    return {
        "p50_ms": round(statistics.median(every), 2),
        "p99_ms": round(every[int(0.99 * len(every))], 2),
        "drawing_p50_ms": round(statistics.median(drawings), 2),
    }


def recovery(server: Contender) -> dict[str, Any]:
    """Drop 1,000 connections; returns seconds until a plain answer, and descriptors before and after."""
    before = state(server)["descriptors"]
    with Crowd(server.port, server.payload.content, server.payload.kind) as crowd:
        time.sleep(HELD)
        within = state(server)["descriptors"]
    begin = time.perf_counter()
    while server.ask() is None:
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    while state(server)["descriptors"] > before and time.perf_counter() - begin < 60:
        time.sleep(0.1)
    return {
        "connections": crowd.size,
        "seconds_to_an_answer": round(seconds, 3),
        "seconds_to_the_descriptors_before": round(time.perf_counter() - begin, 1),
        "descriptors": {"before": before, "within": within, "after": state(server)["descriptors"]},
    }


def brief(window: dict[str, Any]) -> str:
    """One window as a line of text."""
    return ", ".join(f"{name} {value}" for name, value in window.items() if name != "processes")


def show(run: dict[str, Any]) -> None:
    """Print the result."""
    size = run["window"]
    print(
        f"{run['requests']:,} requests in {run['seconds'] / 60:.0f} minutes, without the rests. "
        "Change per 100,000 requests in the second half:"
    )
    for name in ("own_mb", "rss_mb", "p50_ms", "p99_ms", "drawing_p50_ms", "cpu_ms"):
        slope = endurance_rule.Slope.of([one[name] for one in run["windows"]], size)
        print(f"  {name}: {slope.middle:+.2f} ({slope.low:+.2f} to {slope.high:+.2f})")
    for name in ("idle_before", "idle_after"):
        print(f"  {name.replace('_', ', ')}: {brief(run[name])}")
    print(f"  after a crowd: {run['recovery']}")
    if run["wrong"]:
        print(f"  wrong answers: {run['wrong']}")
    for rule, holds in run["rules"].items():
        print(f"  {'yes' if holds else 'NO '} {rule}")


if __name__ == "__main__":
    sys.exit(main())
