"""The body of a request, read within limits of size, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from service.errors import Busy, Refusal, TooLarge, TooSlow, WrongEncoding

MAX_BODY = 20 * 2**20  # bytes of a whole request
MAX_HELD = 100 * 2**20  # bytes of all large bodies in one worker
READ_SECONDS = 20.0  # for a whole body to arrive
SMALL = 256 * 1024  # bytes; bodies up to this size are never refused for lack of memory


class Body:
    """One request's body: `with Body(request) as body: await body.pour(form.take)`.

    Its bytes count towards `MAX_HELD` until the block ends.
    """

    _held_by_all = 0

    def __init__(self, request: Request, limit: int = MAX_BODY) -> None:
        self._request = request
        self._limit = limit
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        Body._held_by_all -= self._held

    async def read(self) -> bytes:
        """The whole body; raises what `pour` raises."""
        chunks: list[bytes] = []
        await self.pour(chunks.append)
        return b"".join(chunks)

    async def pour(self, take: Callable[[bytes], object]) -> None:
        """Pass the body to `take` in chunks, as they arrive.

        Raises `WrongEncoding`, `TooLarge`, `TooSlow` or `Busy` as soon as that is known, and
        `ClientDisconnect`. A `Refusal` by `take` is raised after the whole body has arrived, because most
        clients read the response only then.
        """
        encoding = header(self._request.scope, b"content-encoding")
        if encoding.lower() not in (b"", b"identity"):
            raise WrongEncoding("Compressed bodies are not supported. Send it without `Content-Encoding`.")
        length = header(self._request.scope, b"content-length")
        if length.isdigit() and int(length) > self._limit:
            raise self._too_large()
        refusal: Refusal | None = None
        size, more = 0, True
        try:
            async with asyncio.timeout(READ_SECONDS):
                while more:  # faster than `request.stream()`, an asynchronous generator
                    message = await self._request.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    chunk, more = message.get("body", b""), message.get("more_body", False)
                    size += len(chunk)
                    if size > SMALL:
                        self._hold(size)
                    try:
                        if refusal is None:
                            take(chunk)
                    except Refusal as error:
                        refusal = error
        except TimeoutError:
            raise TooSlow(f"The request did not arrive within {READ_SECONDS:.0f} s. Send it again.") from None
        if refusal:
            raise refusal

    def _hold(self, size: int) -> None:
        Body._held_by_all += size - self._held
        self._held = size
        if size > self._limit:
            raise self._too_large()
        if Body._held_by_all > MAX_HELD:
            raise Busy("Too many large requests are in progress. Try again in a second.")

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The request is larger than {self._limit // 2**20} MiB. Send a smaller one.")


def header(scope: Scope, name: bytes) -> bytes:
    """The value of a request header (its name in lower case), or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
