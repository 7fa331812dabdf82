"""What a worker reads with: one champion and its queues, which methods and application share."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2

from service.runtime import logs
from service.runtime.champion import Champion
from service.runtime.queues import Queues


@dataclass(frozen=True, slots=True)
class Worker:
    """The model in service, and the queues of work that wait for it."""

    champion: Champion
    queues: Queues = field(default_factory=Queues)


@cache
def worker() -> Worker:
    """This process's own, with the model of MODEL_DIR loaded."""
    champion = Champion(Path(os.environ.get("MODEL_DIR", "models/champion")))
    champion.refresh()
    return Worker(champion)


def serving_worker() -> Worker:
    """The same, in a process that does nothing but serve: sets what holds for all of it."""
    logs.set_up()
    cv2.setNumThreads(1)  # the workers share the cores among themselves
    sys.setswitchinterval(0.001)  # seconds that a thread may hold up the event loop (5 ms is the default)
    own = worker()
    gc.collect()
    gc.freeze()  # BentoML's objects are 110,000: a full collection would pause every request
    return own
