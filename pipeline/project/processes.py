"""Work spread over all cores: a process each, since Python alone would hold drawing and reading to one."""

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

_WORTH = 8.0  # seconds of work: less is done before other processes have even started


def spread(work: Callable[[Job], Result], jobs: Sequence[Job], seconds: float) -> list[Result]:
    """What `work` makes of each job, in their order; `seconds` is about how long all of them take.

    `work` is a function of a module and it and the jobs can be pickled. What it raises is raised here.
    """
    processes = min(os.cpu_count() or 1, len(jobs))
    if processes < 2 or seconds < _WORTH:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        return list(pool.map(work, jobs))


def _begin() -> None:
    """A process works on one core, and ends quietly with the one that started it."""
    cv2.setNumThreads(1)
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
