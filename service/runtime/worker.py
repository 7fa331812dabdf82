"""The state of a worker process, which BentoML's methods and the HTTP application share."""

from __future__ import annotations

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
    """The model in service, and the queues of work that waits for it."""

    champion: Champion
    queues: Queues = field(default_factory=Queues)


@cache
def worker() -> Worker:
    """The worker of this process, with the model of MODEL_DIR loaded."""
    champion = Champion(Path(os.environ.get("MODEL_DIR", "models/champion")))
    champion.refresh()
    return Worker(champion)


def serving_worker() -> Worker:
    """Return `worker()`, and set up logging and threads for a process that only serves."""
    logs.set_up()
    cv2.setNumThreads(1)  # the workers share the cores among themselves
    sys.setswitchinterval(0.001)  # seconds for which a thread may block the event loop (default: 5 ms)
    return worker()
