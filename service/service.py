"""The BentoML service: `bentoml serve service.service:DigitsService`.

BentoML starts, supervises and stops the workers; the endpoints are in `service.api` (see
docs/decisions/service.md for why they are no `@bentoml.api` methods). The process that starts the workers
imports this module too, for the configuration alone: what they run is in `service.worker`.
"""

from __future__ import annotations

import asyncio
import gc
import os

import bentoml
from bentoml._internal.utils.analytics import usage_stats

os.environ["BENTOML_DO_NOT_TRACK"] = "True"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` asked before it imported this module
gc.freeze()  # BentoML's objects, which every collection while importing the rest would look through again


class Digits:
    """Reads handwritten digits."""

    def __init__(self) -> None:
        worker.set_up()

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # theirs to type
    async def start(self) -> None:
        worker.before_listening()
        self._watch = asyncio.create_task(worker.champion.watch())

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

if bentoml.server_context.worker_index is not None:  # in a worker
    from service import worker

    DigitsService.add_asgi_middleware(worker.gate)
