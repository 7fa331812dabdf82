"""Gradio's queue and MCP server, which run only while programs ask: the page itself needs neither."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import gradio
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.refusals import refused
from ui.text import PROGRAMS

MCP = "/gradio_api/mcp"
_QUEUED = ("/gradio_api/queue/", "/gradio_api/call/")
_WITH_FILES = (*_QUEUED, "/gradio_api/run/", "/gradio_api/api/")
REST_SECONDS = 30.0  # without a question of a program: then the queue stops
SETTLE_SECONDS = 0.2  # in which a queue that was stopped has noticed it


class Waking:
    """ASGI: starts what Gradio has for programs when one asks, and stops its queue when none does any more.

    The queue looks for events a thousand times a second, which takes 6 % of a core.
    """

    def __init__(self, app: ASGIApp, blocks: gradio.Blocks) -> None:
        self._app = app
        self._blocks = blocks
        self._life: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self._starting = asyncio.Lock()
        self._asking = 0
        self._resting: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["type"] == "http" and scope["method"] == "POST" and path.startswith(_WITH_FILES):
            body = await _whole(receive)
            try:
                receive = _given(json.dumps(json.loads(body, object_hook=_name_of_file)).encode(), receive)
            except (ValueError, RecursionError):
                await refused(400, "not_json", PROGRAMS["not_json"])(scope, receive, send)
                return
        if path.startswith(_QUEUED):
            async with self._queue(scope["app"]):
                await self._app(scope, receive, send)
        else:
            if path.startswith(MCP):
                await self._awake(scope["app"])
            await self._app(scope, receive, send)

    @asynccontextmanager
    async def _queue(self, app: FastAPI) -> AsyncIterator[None]:
        """Gradio's queue runs within."""
        self._asking += 1
        try:
            await self._awake(app)
            async with self._starting:
                if not self._blocks.is_running:
                    await asyncio.sleep(SETTLE_SECONDS)
                    self._blocks.run_startup_events()
            yield
        finally:
            self._asking -= 1
            self._rest_later()

    async def _awake(self, app: FastAPI) -> None:
        """Enter Gradio's lifespan, once, in a task of its own: it has to be left in the one that entered."""
        async with self._starting:
            if self._life is None or self._life.done():
                awake = asyncio.Event()
                self._life = asyncio.create_task(self._within_lifespan(app, awake))
                waiting = asyncio.create_task(awake.wait())
                await asyncio.wait({waiting, self._life}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if self._life.done():
                    self._life.result()
                self._rest_later()

    async def _within_lifespan(self, app: FastAPI, awake: asyncio.Event) -> None:
        async with app.router.lifespan_context(app):
            awake.set()
            await self._end.wait()

    def _rest_later(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        self._resting = asyncio.get_running_loop().call_later(REST_SECONDS, self._rest)

    def _rest(self) -> None:
        if not self._asking:
            self._blocks.close(verbose=False)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The server's own lifespan, which would start all of it with the server."""
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        self._end.set()
        if self._life is not None:
            await asyncio.wait({self._life})
        await send({"type": "lifespan.shutdown.complete"})


def _name_of_file(found: dict[str, Any]) -> Any:
    """What a client says of a file, as its name alone: Gradio would look for it, or fetch it by its URL."""
    return found.get("path", found)


async def _whole(receive: Receive) -> bytes:
    """The body of a request, which `Bodies` has read within its limits."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body first, and then what comes."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return first.pop() if first else await receive()

    return given
