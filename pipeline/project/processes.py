"""Spread work over all cores with one process per core, because the GIL would limit it to one core."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2

from pipeline.project.runner import end_with_parent

Job = TypeVar("Job")
Result = TypeVar("Result")

_WORTH = 8.0  # seconds; less work than this is finished before other processes have started


def spread(work: Callable[[Job], Result], jobs: Sequence[Job], seconds: float) -> list[Result]:
    """Return `work(job)` for each job, in order; `seconds` estimates how long all jobs take on one core.

    `work` must be a module-level function, and the jobs must be picklable. Raises what `work` raises.
    """
    processes = min(os.cpu_count() or 1, len(jobs))
    if processes < 2 or seconds < _WORTH:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        return list(pool.map(work, jobs))


def _begin() -> None:
    """Prepare a worker process: it uses one core and ends silently with the process that started it."""
    cv2.setNumThreads(1)
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
