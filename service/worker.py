"""What each worker runs. `service.service` imports it there alone: the process that starts the workers needs
none of it, and spends half its time on imports as it is.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import cv2
from starlette.types import ASGIApp

from service import connection, logs
from service.api import endpoints
from service.champion import Champion
from service.gate import Gate
from service.lanes import Lanes

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
