"""The endpoints: what each takes, does and answers. An adapter: the work is done in `digits`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from PIL import Image
from pydantic import BaseModel, RootModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from digits import Manifest
from service import docs
from service.answers import ExplainAnswer, PredictAnswer, ReadAnswer
from service.champion import Champion
from service.decode import decode
from service.upload import header, image_field, read_body


class ManifestAnswer(RootModel[Manifest]):
    """What the model's folder says of it."""


class ExplainAnswers(RootModel[list[ExplainAnswer]]):
    """What the network saw of every mark, in reading order."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path: the gate finds its handler here, and `/docs.json` its description."""

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    summary: str
    answer: type[BaseModel] | str  # a model of its JSON, or the media type of something else
    takes: Literal["image"] | None = None
    refuses: tuple[int, ...] = ()
    open: bool = False  # asks for no API key


class Api:
    """The endpoints over one champion."""

    def __init__(self, champion: Champion) -> None:
        self._champion = champion
        post = partial(Endpoint, "POST", takes="image", refuses=(400, 408, 413, 415, 422, 503))
        get = partial(Endpoint, "GET")
        self.endpoints = (
            post("/predict", self.predict, "Read one digit", PredictAnswer),
            post("/read", self.read, "Read all digits", ReadAnswer),
            post("/explain", self.explain, "Show what the network saw", ExplainAnswers),
            get("/model", self.model, "The model's manifest", ManifestAnswer, refuses=(503,)),
            get("/livez", self.livez, "Is the process alive?", "text/plain", open=True),
            get("/healthz", self.livez, "The same as /livez", "text/plain", open=True),
            get("/readyz", self.readyz, "Is a model in service?", "text/plain", refuses=(503,), open=True),
            get("/docs.json", self.docs_json, "This document", "application/json", open=True),
            get("/", self.docs_page, "This document as a page", "text/html", open=True),
        )
        self._document = docs.document(self.endpoints)

    async def predict(self, request: Request) -> Response:
        reader = self._champion.reader()
        return _json(PredictAnswer.of(reader.predict(await _image(request))))

    async def read(self, request: Request) -> Response:
        reader = self._champion.reader()
        return _json(ReadAnswer.of(reader.read(await _image(request))))

    async def explain(self, request: Request) -> Response:
        reader = self._champion.reader()
        marks = reader.explain(await _image(request))
        return _json(ExplainAnswers([ExplainAnswer.of(mark) for mark in marks]))

    async def model(self, _request: Request) -> Response:
        return _json(ManifestAnswer(self._champion.reader().model.manifest))

    async def livez(self, _request: Request) -> Response:
        return PlainTextResponse("\n")

    async def readyz(self, _request: Request) -> Response:
        self._champion.reader()  # raises where there is none
        return PlainTextResponse("\n")

    async def docs_json(self, _request: Request) -> Response:
        return JSONResponse(self._document)

    async def docs_page(self, _request: Request) -> Response:
        return HTMLResponse(docs.PAGE, headers=docs.PAGE_HEADERS)


async def _image(request: Request) -> Image.Image:
    """The picture that a request carries."""
    body = await read_body(request.scope, request.receive)
    return decode(image_field(header(request.scope, b"content-type"), body))


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
