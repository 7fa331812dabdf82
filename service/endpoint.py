"""One endpoint, as the gate serves it and `/docs.json` describes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path.

    `answer` is a model of its JSON, or the media type of something else; `takes` is a model of the
    JSON it takes, or the multipart field that holds pictures; `refuses` are the statuses of its refusals.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    summary: str
    answer: type[BaseModel] | str
    takes: type[BaseModel] | Literal["image", "images"] | None = None
    refuses: tuple[int, ...] = ()
    open: bool = False  # asks for no API key
    quiet: bool = False  # is asked by machines every few seconds: not logged where all is well


def json_answer(answer: BaseModel) -> Response:
    """A typed answer as a response."""
    return Response(answer.model_dump_json(), media_type="application/json")
