"""Gradio's queue and MCP server start with a program's first request, and the queue stops when it is idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import gradio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message

from ui import lazy_queue
from ui.lazy_queue import LazyQueue

REST = 0.1
Talk = Callable[["Page"], Coroutine[Any, Any, None]]


class Blocks:
    """A fake of Gradio's Blocks that can be started and closed."""

    def __init__(self) -> None:
        self.is_running = False
        self.starts = 0

    def run_startup_events(self) -> None:
        assert not self.is_running, "two queues"
        self.is_running = True
        self.starts += 1

    def close(self, verbose: bool) -> None:
        assert not verbose
        self.is_running = False


class Page:
    """An application behind `LazyQueue`, whose lifespan starts the queue as Gradio's does."""

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.entered = self.left = 0
        self.slow = asyncio.Event()
        self.fault: Exception | None = None
        middleware = [Middleware(LazyQueue, cast(gradio.Blocks, self.blocks))]
        route = Route("/{path:path}", self._answer, methods=["GET", "POST"])
        self.app = Starlette(routes=[route], middleware=middleware, lifespan=self._lifespan)
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[str] = []

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        if self.fault is not None:
            raise self.fault
        self.entered += 1
        self.blocks.run_startup_events()
        yield
        self.left += 1

    async def _answer(self, request: Request) -> PlainTextResponse:
        if "slow" in request.url.path:
            await self.slow.wait()
        return PlainTextResponse(f"{self.blocks.is_running}")

    async def ask(self, path: str, method: str = "GET") -> str:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return (await client.request(method, path, json={})).text

    async def _send(self, message: Message) -> None:
        self.sent.append(message["type"])

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """The lifespan events of a server that starts and stops."""
        task = asyncio.create_task(self.app({"type": "lifespan"}, self._events.get, self._send))
        self._events.put_nowait({"type": "lifespan.startup"})
        await asyncio.sleep(0.01)
        yield
        self._events.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait_for(task, 5)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Talk], None]:
    monkeypatch.setattr(lazy_queue, "IDLE_SECONDS", REST)
    monkeypatch.setattr(lazy_queue, "TERMINATION_SECONDS", 0.01)

    def start(talk: Talk) -> None:
        async def go() -> None:
            page = Page()
            async with page.served():
                await talk(page)
            assert page.sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
            assert page.left == page.entered

        asyncio.run(go())

    return start


def test_page_alone_starts_nothing(run: Callable[[Talk], None]) -> None:
    async def talk(page: Page) -> None:
        for path in ("/", "/ask/model", "/config", "/gradio_api/info", "/gradio_api/upload"):
            assert await page.ask(path) == "False"
        assert page.entered == 0

    run(talk)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/gradio_api/call/read"),
        ("GET", "/gradio_api/call/read/1"),
        ("POST", "/gradio_api/mcp"),
        ("GET", "/gradio_api/mcp/"),
    ],
)
def test_first_question_starts_all_of_it_before_it_is_answered(
    method: str, path: str, run: Callable[[Talk], None]
) -> None:
    async def talk(page: Page) -> None:
        assert await asyncio.gather(*[page.ask(path, method) for _ in range(3)]) == ["True"] * 3
        assert (page.entered, page.blocks.starts) == (1, 1)

    run(talk)


def test_queue_rests_and_starts_again(run: Callable[[Talk], None]) -> None:
    async def talk(page: Page) -> None:
        for round_ in (1, 2, 3):
            answers = [page.ask("/gradio_api/queue/join", "POST") for _ in range(3)]
            assert await asyncio.gather(*answers) == ["True"] * 3
            assert page.blocks.starts == round_
            await asyncio.sleep(2 * REST)
            assert not page.blocks.is_running
        assert page.entered == 1

    run(talk)


def test_queue_does_not_rest_while_somebody_waits(run: Callable[[Talk], None]) -> None:
    async def talk(page: Page) -> None:
        waiting = asyncio.create_task(page.ask("/gradio_api/queue/slow"))
        await page.ask("/gradio_api/queue/data")
        await asyncio.sleep(2 * REST)
        page.slow.set()
        assert await waiting == "True"
        await asyncio.sleep(2 * REST)
        assert not page.blocks.is_running

    run(talk)


def test_queue_rests_after_mcp_which_does_without(run: Callable[[Talk], None]) -> None:
    async def talk(page: Page) -> None:
        waiting = asyncio.create_task(page.ask("/gradio_api/mcp/slow"))  # what a client keeps open
        await asyncio.sleep(2 * REST)
        assert not page.blocks.is_running
        page.slow.set()
        assert await waiting == "False"
        assert await page.ask("/gradio_api/mcp") == "False"
        assert page.entered == 1

    run(talk)


def test_fault_in_the_start_is_told_and_tried_again(run: Callable[[Talk], None]) -> None:
    async def talk(page: Page) -> None:
        page.fault = RuntimeError("no start")
        with pytest.raises(RuntimeError, match="no start"):
            await page.ask("/gradio_api/queue/join", "POST")
        page.fault = None
        assert await page.ask("/gradio_api/queue/join", "POST") == "True"

    run(talk)
