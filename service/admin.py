"""The endpoints for those who run the service: the model, health, metrics, documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from service import docs, metrics
from service.answers import ManifestAnswer
from service.champion import Champion
from service.endpoint import json_answer


class Admin:
    """Handlers over one champion; `document` gives the OpenAPI document."""

    def __init__(self, champion: Champion, document: Callable[[], dict[str, Any]]) -> None:
        self._champion = champion
        self._document = document

    async def model(self, _request: Request) -> Response:
        return json_answer(ManifestAnswer(self._champion.reader().model.manifest))

    async def live(self, _request: Request) -> Response:
        return PlainTextResponse("\n")

    async def ready(self, _request: Request) -> Response:
        self._champion.reader()  # raises where there is none
        return PlainTextResponse("\n")

    async def metrics(self, _request: Request) -> Response:
        """All workers' files are read on a thread: there may be many."""
        content = await asyncio.to_thread(metrics.text)
        return Response(content, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def docs_json(self, _request: Request) -> Response:
        return JSONResponse(self._document())

    async def docs_page(self, _request: Request) -> Response:
        return HTMLResponse(docs.PAGE, headers=docs.PAGE_HEADERS)
