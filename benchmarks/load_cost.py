"""Load on a group of processes with wrk, and the processor time that each part of the system takes."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.serving_contenders import Payload
from benchmarks.serving_load import SCRIPT

Trees = Mapping[str, Sequence[int]]
"""The parts of a system, each as the ids of processes that belong to it with all their children."""


def loaded(url: str, payload: Payload, connections: int, seconds: float, trees: Trees) -> dict[str, float]:
    """One measurement with wrk on one thread.

    `rate` is answers a second (refusals are none), `p50`, `p99` and `longest` are latencies in ms over all
    responses. `cpu_PART` is processor time in ms a response of each part, `cpu_wrk` that of the load
    generator, and `cpu_rest` what the whole machine spent besides: the kernel's own threads, and other work.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT)]
    before, began = _spent(trees), time.perf_counter()
    done = subprocess.run(
        [*command, url, "--", str(payload.file), payload.kind], capture_output=True, text=True, check=True
    )
    lasted, after = time.perf_counter() - began, _spent(trees)
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    responses = max(measured["requests"], 1)
    spent = {part: after[part] - before[part] for part in after}
    spent["rest"] = spent.pop("machine") - sum(spent.values())
    for part, of_it in spent.items():
        measured[f"cpu_{part}"] = of_it / responses * 1000
    measured["busy_cores"] = sum(spent.values()) / lasted
    measured["rate"] = (measured["requests"] - measured["refused"]) / measured["seconds"]
    return measured


def with_children(roots: Sequence[int]) -> list[psutil.Process]:
    """The processes of these ids and all that they started."""
    found = [psutil.Process(root) for root in roots]
    return found + [child for process in found for child in process.children(recursive=True)]


def _spent(trees: Trees) -> dict[str, float]:
    """Processor seconds so far of each part, of wrk (all children that have ended) and of the machine."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = psutil.cpu_times()
    busy = whole.user + whole.system + whole.nice + whole.irq + whole.softirq
    parts = {part: processor_seconds(roots) for part, roots in trees.items()}
    return parts | {"wrk": ended.ru_utime + ended.ru_stime, "machine": busy}


def processor_seconds(roots: Sequence[int]) -> float:
    """Of these processes and their children so far, to the nanosecond.

    psutil's own figure comes in steps of 10 ms, as much as nginx takes for 70 requests.
    """
    total = 0
    for process in with_children(roots):
        for thread in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):  # a health check that has just ended
                total += int(thread.read_text().split()[0])
    return total / 1e9
