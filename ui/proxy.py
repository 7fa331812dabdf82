"""The proxy that forwards the browser's requests to the recognition service and returns its answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from ui.client import ANSWER_SECONDS, CONNECT_SECONDS, key_header
from ui.text import SERVICE

_MLFLOW_SECONDS = 0.5
_IDLE_SECONDS = 3.0  # uvicorn closes an idle connection after 5
_PASSED_ON = ("retry-after", "x-request-id")

_CARD = "/model/card"  # the only path that answers with HTML
_CARD_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Question = Literal["read", "explain", "feedback"]
Ask = Callable[[str, bytes, str], Awaitable["Answer"]]
"""(path, body, content type) -> Answer. It hides from the page where answers come from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: the status, the JSON and the few headers that the browser needs.

    `content` is a string for the model card, which is HTML.
    """

    status: int
    content: Any
    headers: dict[str, str]


def service_ask(client: httpx.AsyncClient) -> Ask:
    """An `Ask` that calls the service; a failure becomes an answer with an error sentence."""

    async def ask(path: str, body: bytes, content_type: str) -> Answer:
        headers = {"Content-Type": content_type} if body else {}
        request = client.build_request("POST" if body else "GET", path, content=body, headers=headers)
        try:
            answer = await _send(client, request)
        except httpx.TimeoutException:
            return _refusal(504, "service_slow", SERVICE["slow"].format(seconds=round(ANSWER_SECONDS)))
        except httpx.HTTPError:
            return _refusal(502, "service_away", SERVICE["away"].format(url=client.base_url))
        try:
            content = answer.text if path == _CARD and _is_page(answer) else answer.json()
        except ValueError:
            return _refusal(502, "service_strange", SERVICE["strange"].format(url=client.base_url))
        passed = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        return Answer(answer.status_code, content, passed)

    return ask


def _is_page(answer: httpx.Response) -> bool:
    return answer.is_success and answer.headers.get("Content-Type", "").startswith("text/html")


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send the request; retry once, since the service may just have closed the idle connection."""
    try:
        return await client.send(request)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return await client.send(request)


def service_client(
    url: str, key: str = "", transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The client for the service, which keeps connections open between requests."""
    return httpx.AsyncClient(
        base_url=url,
        headers=key_header(key),
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(keepalive_expiry=_IDLE_SECONDS),
        transport=transport,
        trust_env=False,  # ignore proxies for the internet
    )


async def run_link(client: httpx.AsyncClient, run_id: str, public: str) -> str | None:
    """The address of a run in MLflow's UI at `public`; None if MLflow is not running or lacks the run."""
    if not run_id:
        return None
    try:
        answer = await client.get(
            "/api/2.0/mlflow/runs/get", params={"run_id": run_id}, timeout=_MLFLOW_SECONDS
        )
        experiment = answer.raise_for_status().json()["run"]["info"]["experiment_id"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    return f"{public.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"


def ask_routes(ask: Ask, link: Callable[[str], Awaitable[str | None]]) -> APIRouter:
    """`POST /ask/read|explain|feedback` and `GET /ask/model|feedback` for the canvas, and the model card.

    `GET /ask/feedback` answers null if the service stores none, because browsers report a 404 as an error.
    """
    routes = APIRouter(prefix="/ask")

    @routes.post("/{question}")
    async def post(question: Question, request: Request) -> Response:
        body = await request.body()
        return _response(await ask(f"/{question}", body, request.headers.get("content-type", "")))

    @routes.get("/model")
    async def model() -> Response:
        answer = await ask("/model", b"", "")
        if answer.status == 200 and isinstance(answer.content, dict):
            answer.content["run_link"] = await link(str(answer.content.get("run_id", "")))
        return _response(answer)

    @routes.get("/feedback")
    async def feedback() -> Response:
        answer = await ask("/feedback", b"", "")
        return _response(Answer(200, None, {}) if answer.status == 404 else answer)

    @routes.get(_CARD)
    async def card() -> Response:
        answer = await ask(_CARD, b"", "")
        if isinstance(answer.content, str):
            return HTMLResponse(answer.content, answer.status, _CARD_HEADERS)
        sentence = answer.content.get("error") if isinstance(answer.content, dict) else None
        return PlainTextResponse(sentence or SERVICE["no_card"], answer.status, {"Cache-Control": "no-store"})

    return routes


def _refusal(status: int, code: str, sentence: str) -> Answer:
    return Answer(status, {"error": sentence, "code": code}, {})


def _response(answer: Answer) -> Response:
    return JSONResponse(answer.content, answer.status, answer.headers | {"Cache-Control": "no-store"})
