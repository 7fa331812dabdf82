"""ASGI middleware that reads request bodies within limits of size, time and memory."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.refusals import refused
from ui.text import SERVICE

MAX_BODY = 20 * 2**20  # bytes of a picture, the service's limit
MAX_OTHER = 2**20  # bytes of any other body
MAX_HELD = 100 * 2**20  # bytes of all large bodies together
SMALL = 64 * 1024  # bytes; bodies up to this size are never refused for lack of memory
READ_SECONDS = 60.0  # for a whole body; three times the service's limit, for photos on slow connections
MAX_DRAINED = 200 * 2**20  # bytes of a refused body that are read, so that the browser reads the error


class Bodies:
    """Passes a request on when its whole body has arrived; refuses one that is too large or too slow."""

    def __init__(self, app: ASGIApp, pictures: tuple[str, ...] = ("/ask/",)) -> None:
        self._app = app
        self._pictures = pictures
        self._held_by_all = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        body = _Body(self, MAX_BODY if path.startswith(self._pictures) else MAX_OTHER)
        try:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    connected = await body.read(receive)
            except TimeoutError:
                connected, body.refusal = True, _too_slow()
            if not connected:
                return
            if body.refusal is not None:
                await body.refusal(scope, receive, send)
                return
            await self._app(scope, body.replayed(receive), send)
        finally:
            body.let_go()

    def reserve(self, size: int) -> bool:
        """Count `size` more bytes if they fit into `MAX_HELD`; returns whether they do."""
        if self._held_by_all + size > MAX_HELD:
            return False
        self._held_by_all += size
        return True

    def release(self, size: int) -> None:
        """Stop counting `size` bytes."""
        self._held_by_all -= size


class _Body:
    """One body as it arrives; its bytes count towards `MAX_HELD` until `let_go`."""

    def __init__(self, all_of_them: Bodies, limit: int) -> None:
        self.refusal: Response | None = None
        self._all = all_of_them
        self._limit = limit
        self._content = bytearray()
        self._held = 0

    async def read(self, receive: Receive) -> bool:
        """Read the body to its end or up to `MAX_DRAINED` bytes; returns False if the browser disconnected.

        A body that will be refused is read too, because browsers read the response only after sending
        everything.
        """
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > MAX_DRAINED:
                return True
            if self.refusal is None:
                self._take(chunk)
        return True

    def let_go(self) -> None:
        self._all.release(self._held)
        self._content, self._held = bytearray(), 0

    def replayed(self, receive: Receive) -> Receive:
        """A `receive` that returns the body, and after it what `receive` returns, such as the disconnect."""
        first = True

        async def again() -> Message:
            nonlocal first
            if not first:
                return await receive()
            first = False
            content, self._content = bytes(self._content), bytearray()
            return {"type": "http.request", "body": content, "more_body": False}

        return again

    def _take(self, chunk: bytes) -> None:
        size = len(self._content) + len(chunk)
        if size > self._limit:
            self.refusal = _too_large(self._limit)
        elif size > SMALL and not self._all.reserve(size - self._held):
            self.refusal = _busy()
        else:
            self._held = size if size > SMALL else 0
            self._content += chunk
            return
        self.let_go()


def _too_large(limit: int) -> Response:
    return refused(413, "too_large", SERVICE["too_large"].format(megabytes=limit // 2**20))


def _too_slow() -> Response:
    sentence = SERVICE["too_slow"].format(seconds=round(READ_SECONDS))
    return refused(408, "too_slow", sentence, {"Connection": "close"})


def _busy() -> Response:
    return refused(503, "busy", SERVICE["many_bodies"], {"Retry-After": "1"})
