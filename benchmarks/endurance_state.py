"""The state of the service's processes during a long run: memory, descriptors, threads and processor time."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.serving_contenders import Contender
from benchmarks.serving_load import processes


def state(server: Contender) -> dict[str, Any]:
    """Memory (MB, 10^6 bytes), descriptors and threads of each process, and the sums of all.

    `own_mb` is what a process has allocated: resident memory without files and shared memory. `rss_mb`
    includes these. Whether files such as libraries stay resident depends on other programs, too.
    """
    each = {
        str(process.pid): {
            "own_mb": round((memory.rss - memory.shared) / 1e6, 2),
            "rss_mb": round(memory.rss / 1e6, 2),
            "descriptors": process.num_fds(),
            "threads": process.num_threads(),
        }
        for process in processes(server)
        for memory in [process.memory_info()]
    }
    sums = {name: round(sum(one[name] for one in each.values()), 2) for name in next(iter(each.values()))}
    return sums | {"processes": each}


def processor_seconds(server: Contender) -> float:
    """Processor time of all processes so far, including child processes that have ended."""
    times = [process.cpu_times() for process in processes(server)]
    return float(sum(one.user + one.system + one.children_user + one.children_system for one in times))


def names(server: Contender) -> dict[str, str]:
    """The name of each process by its id; workers are numbered, and so are decoders."""
    parent, *others = processes(server)
    found = {str(parent.pid): "supervisor"}
    count: Counter[str] = Counter()
    for one in others:
        kind = "decoder" if "sandboxed" in " ".join(one.cmdline()) else "worker"
        count[kind] += 1
        found[str(one.pid)] = f"{kind} {count[kind]}"
    return found
