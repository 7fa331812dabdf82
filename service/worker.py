"""What each worker runs. `service.service` imports it there alone: the process that starts the workers needs
none of it, and spends half its time on imports as it is.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import bentoml
import cv2
from starlette.types import ASGIApp

from service import connection, listening, logs
from service.api import endpoints
from service.champion import Champion
from service.gate import Gate
from service.lanes import Lanes
from service.tally import Tally

connection.install()
champion = Champion(Path(os.environ.get("MODEL_DIR", "models/champion")))


def gate(app: ASGIApp) -> Gate:
    """The service around BentoML's own app; connections lead to it from now on."""
    made = Gate(
        app,
        endpoints(champion, Lanes()),
        api_key=os.environ.get("API_KEY", ""),
        origins=os.environ.get("CORS_ORIGINS", "").replace(",", " ").split(),
    )
    connection.lead_to(made)
    return made


def set_up() -> None:
    """Load the model, and set what holds for the whole process."""
    logs.set_up()
    cv2.setNumThreads(1)  # the workers share the cores among themselves
    sys.setswitchinterval(0.001)  # seconds that a thread may hold up the event loop (5 ms is the default)
    champion.refresh()
    gc.collect()
    gc.freeze()  # BentoML's objects are 110,000: a full collection would pause every request


def before_listening() -> None:
    """Share connections with the other workers, where there are any."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # BentoML's: one for all workers, new at each start
    number = bentoml.server_context.worker_index
    if folder is not None and number is not None and os.environ.get("WORKERS", "1") != "1":
        listening.share(Tally(Path(folder) / "connections", number))
