"""Gradio's queue and MCP server, which run only while programs use them, because the page needs neither."""

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
IDLE_SECONDS = 30.0  # after the last request of a program, until the queue is stopped
TERMINATION_SECONDS = 0.2  # in which a stopped queue terminates


class LazyQueue:
    """ASGI middleware that starts Gradio's queue and MCP server on demand, and stops an idle queue.

    The queue polls for events a thousand times a second, which takes 6 % of a core.
    """

    def __init__(self, app: ASGIApp, blocks: gradio.Blocks) -> None:
        self._app = app
        self._blocks = blocks
        self._lifespan: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self._starting = asyncio.Lock()
        self._requests = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._answer_lifespan(receive, send)
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
                await self._start(scope["app"])
            await self._app(scope, receive, send)

    @asynccontextmanager
    async def _queue(self, app: FastAPI) -> AsyncIterator[None]:
        """A context in which Gradio's queue runs."""
        self._requests += 1
        try:
            await self._start(app)
            async with self._starting:
                if not self._blocks.is_running:
                    await asyncio.sleep(TERMINATION_SECONDS)
                    self._blocks.run_startup_events()
            yield
        finally:
            self._requests -= 1
            self._restart_idle_timer()

    async def _start(self, app: FastAPI) -> None:
        """Enter Gradio's lifespan once, in a task of its own, because the same task must exit it."""
        async with self._starting:
            if self._lifespan is None or self._lifespan.done():
                started = asyncio.Event()
                self._lifespan = asyncio.create_task(self._within_lifespan(app, started))
                waiting = asyncio.create_task(started.wait())
                await asyncio.wait({waiting, self._lifespan}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if self._lifespan.done():
                    self._lifespan.result()
                self._restart_idle_timer()

    async def _within_lifespan(self, app: FastAPI, started: asyncio.Event) -> None:
        async with app.router.lifespan_context(app):
            started.set()
            await self._end.wait()

    def _restart_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop_if_idle)

    def _stop_if_idle(self) -> None:
        if not self._requests:
            self._blocks.close(verbose=False)

    async def _answer_lifespan(self, receive: Receive, send: Send) -> None:
        """Answer the server's lifespan events without passing them on, which would start everything."""
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        self._end.set()
        if self._lifespan is not None:
            await asyncio.wait({self._lifespan})
        await send({"type": "lifespan.shutdown.complete"})


def _name_of_file(found: dict[str, Any]) -> Any:
    """Replace a client's description of a file by its name, because Gradio would open or fetch it."""
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
    """A `receive` that returns `body`, and after it the messages of `receive`."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return first.pop() if first else await receive()

    return given
