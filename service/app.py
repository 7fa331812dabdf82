"""The Starlette application in front of BentoML's: the same endpoints, faster and with one error format."""

# See docs/decisions/service-promises.md.
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
    error_response,
    internal_error,
)
from service.openapi import Endpoint
from service.pictures.upload import header
from service.runtime.metrics import count_request, show_as_none
from service.runtime.worker import Worker

PASSED_ON = ("/schema.json", *openapi.PAGE_FILES)
"""Paths that BentoML's application answers: the schema for its clients, and the files of the docs page."""

CLOSE_EVERY = 64
"""After this many responses, a worker with several open requests closes a connection.

The client then reconnects, and a worker that is idle accepts the new connection.
"""

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
    """The application in front of `bento`, which handles lifespan events and the paths in `PASSED_ON`.

    `origins`: origins of web pages that may call the service from a browser. `hosts`: allowed host names in
    addition to local ones. `root_path`: path prefix under which a proxy publishes the service. `feedback`:
    where feedback is stored, None if it is not.
    """

    async def bento_app(scope: Scope, receive: Receive, send: Send) -> None:
        await bento(dict(scope), receive, send)  # it writes its own route into the scope

    async def pass_on(_request: Request) -> ASGIApp:
        return bento_app

    passed_on = (Endpoint("GET", path, pass_on, "BentoML", "*/*", open=True) for path in PASSED_ON)
    table = endpoints(worker, root_path, feedback, origins, asks_for_key=bool(api_key))
    served = application((*table, *passed_on), api_key, origins, hosts)
    ours = UnderPrefix(served, root_path) if root_path else served

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        await (bento if scope["type"] == "lifespan" else ours)(scope, receive, send)

    return dispatch


def endpoints(
    worker: Worker,
    root_path: str = "",
    feedback: Store | None = None,
    origins: Collection[str] = (),
    asks_for_key: bool = False,
) -> tuple[Endpoint, ...]:
    """All endpoints, for routing and for `/docs.json`."""

    @cache
    def document() -> bytes:
        return json.dumps(openapi.document(table, root_path, asks_for_key)).encode()

    admin = Admin(worker.champion, document)
    corrections = Feedback(worker, feedback, origins).endpoints()
    table = Images(worker).endpoints() + corrections + Inference(worker).endpoints() + admin.endpoints()
    return table


def application(
    table: Sequence[Endpoint],
    api_key: str = "",
    origins: Sequence[str] = (),
    hosts: Collection[str] = (),
) -> Starlette:
    """The Starlette application that serves these endpoints."""
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
        exception_handlers={
            Refusal: _on_refusal,
            HTTPException: _on_routing_error,
            ClientDisconnect: _on_disconnect,
        },
    )
    app.router.redirect_slashes = False
    for each in table:
        show_as_none(each.path, "internal")
        if FeedbackFull.status in each.refuses:
            show_as_none(each.path, FeedbackFull.code)
    return app


class _OwnNames:
    """ASGI middleware that refuses requests whose `Host` is not allowed."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = header(scope, b"host").decode("latin-1") if scope["type"] == "http" else ""
        if self._hosts.let_in(host):
            await self._app(scope, receive, send)
            return
        response = await _on_refusal(Request(scope), UnknownHost(self._hosts.refusal(host)))
        await response(scope, receive, send)


class _AskForKey:
    """Refuses requests without the API key, which is compared in constant time to prevent timing attacks."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, token = header(scope, b"authorization").partition(b" ")
        given = token.strip() if scheme.lower() == b"bearer" else header(scope, b"x-api-key")
        if not hmac.compare_digest(given, self._api_key):
            raise Unauthorized("The API key is missing or wrong. Send it as `Authorization: Bearer KEY`.")
        await self._app(scope, receive, send)


async def _on_refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    request.state.outcome = refusal.code
    if refusal.held_seconds:
        refusal.__traceback__ = refusal.__context__ = None  # they keep the request's body alive
        await asyncio.sleep(refusal.held_seconds)
    return error_response(refusal)


async def _on_routing_error(request: Request, error: Exception) -> Response:
    """The response to an unknown path or method, which Starlette's router raises."""
    assert isinstance(error, HTTPException)
    if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = "Not found. The page at / lists all endpoints."
        return await _on_refusal(request, NotFound(sentence))
    allowed = ", ".join(sorted(request.scope["route"].methods))
    response = await _on_refusal(request, WrongMethod(f"This path accepts only {allowed}."))
    response.headers["Allow"] = allowed
    return response


async def _on_disconnect(request: Request, _error: Exception) -> Response:
    request.state.outcome = "gone"
    return Response(status_code=HTTPStatus.BAD_REQUEST)  # the client has disconnected


class _CountAndLog:
    """ASGI middleware that gives each request an id, and counts and logs it when it has been answered."""

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
            if state.get("outcome") != "gone":  # the client has not disconnected
                _logger.exception(
                    "Unhandled exception in a request", extra={"request_id": request_id.decode()}
                )
                state["outcome"] = "internal"
                if not status:
                    await internal_error()(scope, receive, send_with_id)
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
    """The client's request id if it is well-formed, else a new one."""
    given = header(scope, b"x-request-id")
    return given if _REQUEST_ID.fullmatch(given) else b"%016x" % random.getrandbits(64)


def _log(scope: Scope, ids: dict[str, str], status: int, outcome: str, seconds: float) -> None:
    """Log one line per request, with its path as sent but without its body, query or API key."""
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
