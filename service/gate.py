"""The outermost layer: finds the endpoint, asks for the key, and gives every refusal its one shape."""

from __future__ import annotations

import hmac
import logging
import os
import re
import time
from collections.abc import Iterable
from http import HTTPStatus

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.connection import rest
from service.docs import PAGE_FILES
from service.endpoint import Endpoint
from service.errors import NotFound, Refusal, Unauthorized, WrongMethod, problem, unexpected
from service.metrics import count_request
from service.upload import header

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_logger = logging.getLogger("service")


class Gate:
    """ASGI: requests for endpoints are answered here; start and stop, and the page's files, by `app`."""

    def __init__(
        self, app: ASGIApp, endpoints: Iterable[Endpoint], api_key: str = "", origins: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._api_key = api_key.encode()
        self._paths: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            self._paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._answer: ASGIApp = self._serve
        if origins:
            self._answer = CORSMiddleware(
                self._serve, tuple(origins), ("GET", "POST"), ("*",), expose_headers=("X-Request-ID",)
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in PAGE_FILES:
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, then counts and logs it."""
        begin = time.perf_counter()
        request_id = _request_id(scope)
        response, outcome, endpoint = await self._respond(scope, receive, request_id)
        response.headers["X-Request-ID"] = request_id
        await response(scope, receive, send)
        if outcome == "busy" and _is_small(scope):
            rest(scope)
        seconds = time.perf_counter() - begin
        path = "unknown" if endpoint is None else endpoint.path
        count_request(path, outcome, seconds)
        if endpoint is None or outcome != "ok" or not endpoint.quiet:
            _log(scope, request_id, response.status_code, outcome, seconds)

    async def _respond(
        self, scope: Scope, receive: Receive, request_id: str
    ) -> tuple[Response, str, Endpoint | None]:
        """The response, its outcome in a word, and the endpoint that was meant, if any."""
        endpoint = None
        try:
            endpoint = self._endpoint(scope)
            if self._api_key and not endpoint.open:
                self._check_key(scope)
            return await endpoint.handler(Request(scope, receive)), "ok", endpoint
        except Refusal as refusal:
            return problem(refusal), refusal.code, endpoint
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST), "gone", endpoint  # nobody reads it
        except Exception:
            _logger.exception("The service failed", extra={"request_id": request_id})
            return unexpected(), "internal", endpoint

    def _endpoint(self, scope: Scope) -> Endpoint:
        methods = self._paths.get(scope["path"])
        if methods is None:
            raise NotFound("There is nothing here: the page at / lists what there is.")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in methods:
            allowed = ", ".join(methods)
            raise WrongMethod(f"This address takes {allowed} only.", allowed)
        return methods[method]

    def _check_key(self, scope: Scope) -> None:
        """Compares in constant time, so that answers' times do not spell the key."""
        given = header(scope, b"authorization").removeprefix(b"Bearer ") or header(scope, b"x-api-key")
        if not hmac.compare_digest(given, self._api_key):
            raise Unauthorized("The API key is missing or wrong: send it as `Authorization: Bearer KEY`.")


def _is_small(scope: Scope) -> bool:
    """Whether the whole request has surely arrived: who still sends has to be read on to see the answer."""
    length = header(scope, b"content-length")
    return len(length) < 6 and length.isdigit() and int(length) < 16_384


def _request_id(scope: Scope) -> str:
    """The client's own request id where it is a plain word, else a new one."""
    given = header(scope, b"x-request-id")
    return given.decode() if _REQUEST_ID.fullmatch(given) else os.urandom(8).hex()


def _log(scope: Scope, request_id: str, status: int, outcome: str, seconds: float) -> None:
    """One line a request: its path as it was sent, never its body, its query or its key."""
    extra = {
        "request_id": request_id,
        "method": scope["method"],
        "path": scope["path"][:200],
        "status": status,
        "outcome": outcome,
        "seconds": round(seconds, 6),
    }
    level = logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    _logger.log(level, "request", extra=extra)
