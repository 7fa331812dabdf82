"""The BentoML service: `bentoml serve service.service:DigitsService`.

BentoML starts, supervises and stops the workers; the endpoints are in `service.api` (see
docs/decisions/service.md for why they are no `@bentoml.api` methods).
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from pathlib import Path

import bentoml
import cv2
from bentoml._internal.utils.analytics import usage_stats

from service import connection, logs
from service.api import endpoints
from service.champion import Champion
from service.gate import Gate
from service.lanes import Lanes

os.environ["BENTOML_DO_NOT_TRACK"] = "True"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` asked before it imported this module

connection.install()
champion = Champion(Path(os.environ.get("MODEL_DIR", "models/champion")))


class Digits:
    """Reads handwritten digits."""

    def __init__(self) -> None:
        logs.set_up()
        cv2.setNumThreads(1)  # the workers share the cores among themselves
        sys.setswitchinterval(0.001)  # seconds that a thread may hold up the event loop (5 ms is the default)
        champion.refresh()
        gc.collect()
        gc.freeze()  # BentoML's 110,000 objects: a full collection would pause every request

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # theirs to type
    async def start(self) -> None:
        self._watch = asyncio.create_task(champion.watch())

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # theirs to type
    async def stop(self) -> None:
        self._watch.cancel()


DigitsService = bentoml.service(
    name="digits",
    workers=int(os.environ.get("WORKERS", "1")),
    http={"host": os.environ.get("HOST", "127.0.0.1"), "port": int(os.environ.get("SERVICE_PORT", "3000"))},
    metrics={"enabled": False},  # unknown paths would become labels there: `service.metrics` counts
    logging={"access": {"enabled": False}},  # `service.gate` logs
    tracing={"excluded_urls": "."},
)(Digits)
DigitsService.add_asgi_middleware(
    Gate,
    endpoints=endpoints(champion, Lanes()),
    api_key=os.environ.get("API_KEY", ""),
    origins=os.environ.get("CORS_ORIGINS", "").replace(",", " ").split(),
)
