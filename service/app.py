"""The application in front of BentoML's: the same addresses, answered faster, with one shape of refusals."""

# Why it is so: docs/decisions/service-promises.md
from __future__ import annotations

import asyncio
import hmac
import json
import logging
import random
import re
import time
from collections.abc import Collection, Sequence
from functools import cache
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from addresses.hosts import Hosts
from addresses.prefix import UnderPrefix
from feedback.store import Store
from service import openapi
from service.endpoints.admin import Admin
from service.endpoints.feedback import Feedback
from service.endpoints.images import Images
from service.endpoints.inference import Inference
from service.errors import (
    FeedbackFull,
    NotFound,
    Refusal,
    Unauthorized,
    UnknownHost,
    WrongMethod,
    failed,
    refused,
)
from service.openapi import Endpoint
from service.pictures.upload import header
from service.runtime.metrics import count_request, show_as_none
from service.runtime.worker import Worker

PASSED_ON = ("/schema.json", *openapi.PAGE_FILES)
"""The addresses that BentoML's own application answers: what its clients ask first, and the page's files."""

CLOSE_EVERY = 64
"""Answers after which a worker with several requests closes a connection: whoever has time takes the next."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TRACE_PARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
"""W3C Trace Context, 3.2: https://www.w3.org/TR/trace-context/#traceparent-header"""

_logger = logging.getLogger("service")


def in_front(
    bento: ASGIApp,
    worker: Worker,
    api_key: str = "",
    origins: Sequence[str] = (),
    hosts: Collection[str] = (),
    root_path: str = "",
    feedback: Store | None = None,
) -> ASGIApp:
    """The application; start, stop and `PASSED_ON` are left to BentoML's.

    `origins` may call it from a browser, `hosts` are names of its own beside local ones, a proxy shows it
    under `root_path`, and `feedback` is where corrected pictures are kept, if they are.
    """

    async def their_answer(scope: Scope, receive: Receive, send: Send) -> None:
        await bento(dict(scope), receive, send)  # it writes its own route into the scope

    async def pass_on(_request: Request) -> ASGIApp:
        return their_answer

    passed_on = (Endpoint("GET", path, pass_on, "BentoML's own", "*/*", open=True) for path in PASSED_ON)
    table = endpoints(worker, root_path, feedback, origins, asks_for_key=bool(api_key))
    served = application((*table, *passed_on), api_key, origins, hosts)
    ours = UnderPrefix(served, root_path) if root_path else served

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        await (bento if scope["type"] == "lifespan" else ours)(scope, receive, send)

    return either


def endpoints(
    worker: Worker,
    root_path: str = "",
    feedback: Store | None = None,
    origins: Collection[str] = (),
    asks_for_key: bool = False,
) -> tuple[Endpoint, ...]:
    """All endpoints: they are routed, and `/docs.json` is made from them."""

    @cache
    def document() -> bytes:
        return json.dumps(openapi.document(table, root_path, asks_for_key)).encode()

    admin = Admin(worker.champion, document)
    said = Feedback(worker, feedback, origins)
    table = Images(worker).endpoints() + said.endpoints() + Inference(worker).endpoints() + admin.endpoints()
    return table


def application(
    table: Sequence[Endpoint],
    api_key: str = "",
    origins: Sequence[str] = (),
    hosts: Collection[str] = (),
) -> Starlette:
    """A Starlette application of these endpoints."""
    key = [Middleware(_AskForKey, api_key)] if api_key else []
    cors = Middleware(CORSMiddleware, origins, ("GET", "POST"), ("*",), expose_headers=("X-Request-ID",))
    app = Starlette(
        routes=[
            Route(path, each, methods=[each.method], middleware=[] if each.open else key)
            for each in table
            for path in (each.path, *each.aliases)
        ],
        middleware=[
            *([cors] if origins else []),
            Middleware(_CountAndLog),
            Middleware(_OwnNames, Hosts(hosts)),
        ],
        exception_handlers={Refusal: _refuse, HTTPException: _refuse_route, ClientDisconnect: _give_up},
    )
    app.router.redirect_slashes = False
    for each in table:
        show_as_none(each.path, "internal")
        if FeedbackFull.status in each.refuses:
            show_as_none(each.path, FeedbackFull.code)
    return app


class _OwnNames:
    """Refuses a `Host` that is none of this server's names."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = header(scope, b"host").decode("latin-1") if scope["type"] == "http" else ""
        if self._hosts.let_in(host):
            await self._app(scope, receive, send)
            return
        response = await _refuse(Request(scope), UnknownHost(self._hosts.refusal(host)))
        await response(scope, receive, send)


class _AskForKey:
    """Refuses requests without the API key; compares in constant time, so that its time does not spell it."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, token = header(scope, b"authorization").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else header(scope, b"x-api-key")
        if not hmac.compare_digest(given, self._api_key):
            raise Unauthorized("The API key is missing or wrong: send it as `Authorization: Bearer KEY`.")
        await self._app(scope, receive, send)


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    request.state.outcome = refusal.code
    if refusal.held_seconds:
        refusal.__traceback__ = refusal.__context__ = None  # which hold what the request had brought
        await asyncio.sleep(refusal.held_seconds)
    return refused(refusal)


async def _refuse_route(request: Request, error: Exception) -> Response:
    """The two refusals that Starlette's routing makes."""
    assert isinstance(error, HTTPException)
    if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = "There is nothing here: the page at / lists what there is."
        return await _refuse(request, NotFound(sentence))
    allowed = ", ".join(sorted(request.scope["route"].methods))
    response = await _refuse(request, WrongMethod(f"This address takes {allowed} only."))
    response.headers["Allow"] = allowed
    return response


async def _give_up(request: Request, _error: Exception) -> Response:
    request.state.outcome = "gone"
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody reads it


class _CountAndLog:
    """Gives each request its id, and counts and logs it once it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._in_flight = 0
        self._answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        self._in_flight += 1
        request_id = _request_id(scope)
        trace = _TRACE_PARENT.fullmatch(header(scope, b"traceparent"))
        state = scope.setdefault("state", {})
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id))
                if trace:
                    response = b"00-%s-%016x-%s" % (trace[1], random.getrandbits(64), trace[2])
                    message["headers"].append((b"traceresponse", response))
                self._answered += 1
                many = self._in_flight > 1 and self._answered % CLOSE_EVERY == 0
                if many or (status >= HTTPStatus.BAD_REQUEST and header(scope, b"expect")):
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            if state.get("outcome") != "gone":  # else the server has closed the connection itself
                _logger.exception("The service failed", extra={"request_id": request_id.decode()})
                state["outcome"] = "internal"
                if not status:
                    await failed()(scope, receive, send_with_id)
        except asyncio.CancelledError:  # the service stops
            state["outcome"] = "gone"
            raise
        finally:
            self._in_flight -= 1
            seconds = time.perf_counter() - begin
            outcome = state.get("outcome", "ok")
            endpoint = scope.get("endpoint")
            count_request(endpoint.path if endpoint else "unknown", outcome, seconds)
            if outcome != "ok" or endpoint is None or not endpoint.quiet:
                ids = {"request_id": request_id.decode()}
                if trace:
                    ids["trace_id"] = trace[1].decode()
                _log(scope, ids, status, outcome, seconds)


def _request_id(scope: Scope) -> bytes:
    """The client's own request id where it is a plain word, else a new one."""
    given = header(scope, b"x-request-id")
    return given if _REQUEST_ID.fullmatch(given) else b"%016x" % random.getrandbits(64)


def _log(scope: Scope, ids: dict[str, str], status: int, outcome: str, seconds: float) -> None:
    """One line a request: its path as it was sent, never its body, its query or its key."""
    extra = {
        **ids,
        "method": scope["method"],
        "path": scope["path"][:200],
        "status": status,
        "outcome": outcome,
        "seconds": round(seconds, 6),
    }
    level = logging.WARNING if outcome == "internal" else logging.INFO
    _logger.log(level, "request", extra=extra)
