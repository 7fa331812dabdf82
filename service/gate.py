"""The outermost layer: finds the endpoint, asks for the key, and gives every refusal its one shape."""

from __future__ import annotations

import hmac
import logging
import os
import re
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import Api, Endpoint
from service.docs import PAGE_FILES
from service.errors import NotFound, Refusal, Unauthorized, WrongMethod, problem, unexpected
from service.upload import header

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

_logger = logging.getLogger("service")


class Gate:
    """ASGI: requests for the endpoints go to `api`; start and stop, and the page's files, to `app`."""

    def __init__(self, app: ASGIApp, api: Api, api_key: str = "") -> None:
        self._app = app
        self._api_key = api_key.encode()
        self._paths: dict[str, dict[str, Endpoint]] = {}
        for endpoint in api.endpoints:
            self._paths.setdefault(endpoint.path, {})[endpoint.method] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] != "http" or scope["path"] in PAGE_FILES:
            await self._app(scope, receive, send)
        else:
            request_id = _request_id(scope)
            response = await self._respond(scope, receive)
            response.headers["X-Request-ID"] = request_id
            await response(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        try:
            endpoint = self._endpoint(scope)
            if self._api_key and not endpoint.open:
                self._check_key(scope)
            return await endpoint.handler(Request(scope, receive))
        except Refusal as refusal:
            return problem(refusal)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it
        except Exception:
            _logger.exception("%s %s failed", scope["method"], scope["path"])
            return unexpected()

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


def _request_id(scope: Scope) -> str:
    """The client's own request id where it is a plain word, else a new one."""
    given = header(scope, b"x-request-id")
    return given.decode() if _REQUEST_ID.fullmatch(given) else os.urandom(8).hex()
