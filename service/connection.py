"""What happens before a request exists: uvicorn's connection, with a limit on a request's head.

uvicorn waits for ever for a request line, takes headers without end, and answers broken HTTP in plain
text. A client that is refused for lack of time and asks again at once is not read for a second, else
refusals would take all the time there is. Uvicorn chooses the class through
`uvicorn.protocols.http.auto`, where `install` puts this one.

Requests go straight to the gate: what BentoML and Starlette have around it costs as much again as the gate
itself, and BentoML's timeout leaves a timer for each request that nothing stops before its minute is over.

An answer leaves in one piece, where uvicorn sends its head alone: a proxy that has a head cannot ask another
server any more when this one dies before the rest, and each piece wakes the client.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, cast

from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.errors import Problem
from service.metrics import REQUESTS
from service.tally import Tally

HEAD_SECONDS = 10.0  # for the request line and headers to arrive, or to come at all
HEAD_BYTES = 32 * 1024
REST_SECONDS = 1.0  # what Retry-After says
STOP_SECONDS = 5  # for bodies still on their way when the service stops
STOP_AFTER = 8  # seconds until the worker ends whatever is left

_straight_to: ASGIApp | None = None
_REST = "service.rest"  # an extension of the scope, by which the connection is told to rest


def rest(scope: Scope) -> None:
    """Read nothing from this request's connection for a second; call it once the response is sent."""
    known = scope.get("extensions", {}).get(_REST)
    if known:
        known["call"]()


class InOnePiece:
    """The transport as one response uses it: the head waits for what follows it."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._head = b""
        self._keeps_head = cycle.scope["method"] != "HEAD"  # nothing would follow that

    def write(self, data: bytes) -> None:
        """Send the bytes now, or keep them if they are the head."""
        if self._keeps_head and self._cycle.response_started:
            self._keeps_head = False
            self._head = data
            return
        self._transport.write(self._head + data)
        self._head = b""

    def close(self) -> None:
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which closes on heads that are slow, endless or broken."""

    tally: ClassVar[Tally | None] = None  # where there are several workers
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.app = _straight_to or self.app
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)
        if self.tally is not None:
            self.tally.lost()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                size = HEAD_BYTES // 1024
                status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self._refuse(status, "head_too_large", f"The headers are larger than {size} KiB: send fewer.")
        elif self.cycle is None or self.cycle.response_complete:
            self._expect_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()
        self.scope["extensions"] = {_REST: {"call": self._rest}}
        if self.cycle is not None and self.cycle.scope is self.scope:  # else the request was refused
            self.cycle.transport = cast(asyncio.Transport, InOnePiece(self.cycle))

    def handle_websocket_upgrade(self) -> None:
        """Refused here: uvicorn would hand the connection to another class, and never say that it ended."""
        sentence = "There are no WebSockets here: use plain HTTP."
        self._refuse(HTTPStatus.NOT_FOUND, "not_found", sentence)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (the signature is uvicorn's)
        """In place of uvicorn's plain text, for bytes that are no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "broken_http", "This is no valid HTTP request: send it again.")

    def shutdown(self) -> None:
        """Called for every open connection when the service stops."""
        super().shutdown()
        self.config.timeout_graceful_shutdown = STOP_AFTER
        if self.cycle is not None and self.cycle.more_body and not self.transport.is_closing():
            self.loop.call_later(STOP_SECONDS, self.transport.close)

    def _rest(self) -> None:
        if not self.transport.is_closing():
            self.flow.pause_reading()
            self.loop.call_later(REST_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _head_is_here(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if self._head_bytes:
            sentence = f"The request's head did not arrive within {HEAD_SECONDS:.0f} s: send it again."
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "too_slow", sentence)
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: HTTPStatus, code: str, sentence: str) -> None:
        self._head_is_here()
        if self.transport.is_closing():
            return
        REQUESTS.labels("unknown", code).inc()
        body = Problem(error=sentence, code=code).model_dump_json().encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        self.transport.write(
            f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )
        self.transport.close()


def install() -> None:
    """Have uvicorn use `Connection`; call it before the server starts."""
    place: Any = auto
    place.AutoHTTPProtocol = Connection


def lead_to(app: ASGIApp) -> None:
    """Have the requests of all connections go straight to `app`."""
    global _straight_to
    _straight_to = app
