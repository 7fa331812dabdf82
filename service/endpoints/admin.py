"""The endpoints for those who run the service: the model, health, metrics, documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import RootModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from digits import Manifest
from service import openapi
from service.answers import JSON, TrafficAnswer, as_json
from service.errors import NoModel
from service.openapi import Endpoint
from service.runtime import metrics
from service.runtime.champion import Champion
from service.runtime.traffic import TRAFFIC, show

CARD_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""The card comes out of a folder that holds what somebody trained: nothing in it can run or load anything."""


class Admin:
    """Handlers over one champion; `document` gives the OpenAPI document as JSON."""

    def __init__(self, champion: Champion, document: Callable[[], bytes]) -> None:
        self._champion = champion
        self._document = document

    def endpoints(self) -> tuple[Endpoint, ...]:
        get = partial(Endpoint, "GET", tag="Operation")
        health = partial(get, answer="text/plain", open=True, quiet=True)
        return (
            get("/model", self._model, "The model's manifest", Manifest, refuses=(503,)),
            get(
                "/model/card",
                self._card,
                "The model's card: a page about it",
                "text/html",
                refuses=(404, 503),
            ),
            get(
                "/traffic",
                self._traffic,
                "What pictures looked like, hour by hour, and what the model was measured on",
                TrafficAnswer,
                refuses=(503,),
            ),
            health("/livez", self._live, "Is the process alive?"),
            health("/healthz", self._live, "The same as /livez"),
            health("/readyz", self._ready, "Is a model in service?", refuses=(503,)),
            get("/metrics", self._metrics, "Prometheus metrics of all workers", "text/plain", quiet=True),
            get("/docs.json", self._docs_json, "This document", "application/json", open=True),
            get("/", self._docs_page, "This document as a page", "text/html", open=True),
        )

    async def _model(self, _request: Request) -> Response:
        return as_json(RootModel(self._champion.reader().model.manifest))

    async def _card(self, _request: Request) -> Response:
        return HTMLResponse(self._champion.card(), headers=CARD_HEADERS)

    async def _live(self, _request: Request) -> Response:
        return PlainTextResponse("\n")

    async def _ready(self, _request: Request) -> Response:
        self._champion.reader()  # raises where there is none
        return PlainTextResponse("\n")

    async def _traffic(self, _request: Request) -> Response:
        manifest = self._champion.reader().model.manifest
        slots = await asyncio.to_thread(TRAFFIC.slots)
        return as_json(
            TrafficAnswer(
                model=manifest.version,
                sha256=manifest.sha256,
                reference=self._champion.reference(),
                slots=slots,
            )
        )

    async def _metrics(self, _request: Request) -> Response:
        """All workers' files are read on a thread: there may be many."""
        content = await asyncio.to_thread(self._measured)
        return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def _measured(self) -> bytes:
        with suppress(NoModel):
            show(TRAFFIC.slots(), self._champion.reader().model.manifest.sha256, self._champion.reference())
        return metrics.text()

    async def _docs_json(self, _request: Request) -> Response:
        return Response(self._document(), media_type=JSON)

    async def _docs_page(self, _request: Request) -> Response:
        return HTMLResponse(openapi.PAGE, headers=openapi.PAGE_HEADERS)
