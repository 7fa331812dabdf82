"""Operational endpoints: model, traffic, health, metrics, documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import RootModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from digits import Manifest
from service import openapi
from service.answers import JSON, TrafficAnswer, as_json
from service.errors import NoModel
from service.openapi import Endpoint, Handler
from service.runtime import metrics
from service.runtime.champion import Champion
from service.runtime.traffic import TRAFFIC, show

CARD_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""The card is HTML from a model folder, which is untrusted, so scripts and outside resources are blocked."""

_TAG = "Operation"


class Admin:
    """Request handlers for one champion; `document` returns the OpenAPI document as JSON."""

    def __init__(self, champion: Champion, document: Callable[[], bytes]) -> None:
        self._champion = champion
        self._document = document

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint(
                "GET", "/model", self._model, "The model's manifest", Manifest, tag=_TAG, refuses=(503,)
            ),
            Endpoint(
                "GET", "/model/card", self._card, "The model card", "text/html", tag=_TAG, refuses=(404, 503)
            ),
            Endpoint(
                "GET",
                "/traffic",
                self._traffic,
                "Hourly counts of picture features, and the reference counts of the model",
                TrafficAnswer,
                tag=_TAG,
                refuses=(503,),
            ),
            _health("/livez", self._live, "Is the process alive?"),
            _health("/healthz", self._live, "Alias of /livez"),
            _health("/readyz", self._ready, "Is a model in service?", 503),
            Endpoint(
                "GET",
                "/metrics",
                self._metrics,
                "Prometheus metrics of all workers",
                "text/plain",
                tag=_TAG,
                quiet=True,
            ),
            Endpoint("GET", "/docs.json", self._docs_json, "This document", JSON, tag=_TAG, open=True),
            Endpoint(
                "GET", "/", self._docs_page, "This document as a page", "text/html", tag=_TAG, open=True
            ),
        )

    async def _model(self, _request: Request) -> Response:
        return as_json(RootModel(self._champion.reader().model.manifest))

    async def _card(self, _request: Request) -> Response:
        return HTMLResponse(self._champion.card(), headers=CARD_HEADERS)

    async def _live(self, _request: Request) -> Response:
        return PlainTextResponse("\n")

    async def _ready(self, _request: Request) -> Response:
        self._champion.reader()  # raises `NoModel` if there is none
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
        """The files of all workers may be many, so they are read on a thread."""
        content = await asyncio.to_thread(self._metrics_text)
        return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def _metrics_text(self) -> bytes:
        with suppress(NoModel):
            show(TRAFFIC.slots(), self._champion.reader().model.manifest.sha256, self._champion.reference())
        return metrics.text()

    async def _docs_json(self, _request: Request) -> Response:
        return Response(self._document(), media_type=JSON)

    async def _docs_page(self, _request: Request) -> Response:
        return HTMLResponse(openapi.PAGE, headers=openapi.PAGE_HEADERS)


def _health(path: str, handler: Handler, summary: str, *refuses: int) -> Endpoint:
    return Endpoint(
        "GET", path, handler, summary, "text/plain", tag=_TAG, refuses=refuses, open=True, quiet=True
    )
