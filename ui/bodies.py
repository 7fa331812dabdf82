"""The bodies of requests to the page, read within limits of size, time and memory, whoever takes them."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.refusals import refused
from ui.text import SERVICE

MAX_BODY = 20 * 2**20  # bytes of a picture: as much as the service takes
MAX_OTHER = 2**20  # bytes of any other
MAX_HELD = 100 * 2**20  # bytes of all large bodies together
SMALL = 64 * 1024  # bytes: so much of a body there is always room for
READ_SECONDS = (
    60.0  # for a whole body to arrive: a photo on a phone's slow line, three times the service's limit
)
MAX_DRAINED = 200 * 2**20  # bytes read and thrown away, so that the browser gets to see the refusal


class Bodies:
    """ASGI: hands a request on when its whole body is here; refuses one that is too large or too slow."""

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
                    whole = await body.read(receive)
            except TimeoutError:
                whole, body.refusal = True, _too_slow()
            if not whole:
                return  # the browser has gone
            if body.refusal is not None:
                await body.refusal(scope, receive, send)
                return
            await self._app(scope, body.replayed(receive), send)
        finally:
            body.let_go()

    def hold(self, more: int) -> bool:
        """Whether there is room for so many bytes more, which then count; a negative number frees them."""
        if more > 0 and self._held_by_all + more > MAX_HELD:
            return False
        self._held_by_all += more
        return True


class _Body:
    """One body as it arrives; what it holds counts against `MAX_HELD` until it is let go."""

    def __init__(self, all_of_them: Bodies, limit: int) -> None:
        self.refusal: Response | None = None
        self._all = all_of_them
        self._limit = limit
        self._content = bytearray()
        self._held = 0

    async def read(self, receive: Receive) -> bool:
        """Read to the end, also where it is refused: a browser looks for the answer when it has sent all.

        False where the browser has gone before.
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
        self._all.hold(-self._held)
        self._content, self._held = bytearray(), 0

    def replayed(self, receive: Receive) -> Receive:
        """A `receive` that gives the body first, and then what comes: the browser's end."""
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
        elif size > SMALL and not self._all.hold(size - self._held):
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
