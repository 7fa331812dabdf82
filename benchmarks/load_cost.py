"""Load tests of a group of processes with wrk, and the processor time of each part of the system."""

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
"""The parts of a system; each is a list of process ids, whose children belong to the part as well."""


def loaded(url: str, payload: Payload, connections: int, seconds: float, trees: Trees) -> dict[str, float]:
    """One measurement with wrk on one thread.

    `rate` is answers per second without refusals. `p50`, `p99` and `longest` are latencies in ms, over all
    responses. `cpu_PART` is the processor time of each part in ms per response, and `cpu_wrk` that of the
    load generator. `cpu_rest` is that of everything else on the machine: the kernel's threads, and other
    programs.
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
    """The processes with these ids, and all their descendants."""
    found = [psutil.Process(root) for root in roots]
    return found + [child for process in found for child in process.children(recursive=True)]


def _spent(trees: Trees) -> dict[str, float]:
    """Processor seconds so far of each part, of wrk (all our ended children) and of the whole machine."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = psutil.cpu_times()
    busy = whole.user + whole.system + whole.nice + whole.irq + whole.softirq
    parts = {part: processor_seconds(roots) for part, roots in trees.items()}
    return parts | {"wrk": ended.ru_utime + ended.ru_stime, "machine": busy}


def processor_seconds(roots: Sequence[int]) -> float:
    """Processor time of these processes and their children so far, to the nanosecond.

    psutil's figures have a resolution of 10 ms, in which nginx handles 70 requests.
    """
    total = 0
    for process in with_children(roots):
        for thread in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):  # the process of a health check has just ended
                total += int(thread.read_text().split()[0])
    return total / 1e9
