"""Request bodies of the page: limits on size, time and total memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from ui import bodies
from ui.bodies import Bodies


async def length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


class Sender:
    """One request whose body is sent in pieces, and the response to it."""

    def __init__(self, app: Bodies, path: str = "/ask/read") -> None:
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self._sent: list[Message] = []
        scope = {"type": "http", "method": "POST", "path": path, "headers": []}
        self.task = asyncio.create_task(app(scope, self._pieces.get, self._take))

    async def _take(self, message: Message) -> None:
        self._sent.append(message)

    async def send(self, size: int, more: bool = True) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": more})
        await asyncio.sleep(0.01)

    def leave(self) -> None:
        self._pieces.put_nowait({"type": "http.disconnect"})

    async def answer(self) -> tuple[int, str]:
        await asyncio.wait_for(self.task, 5)
        return self._sent[0]["status"], self._sent[1]["body"].decode()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY", 4000)
    monkeypatch.setattr(bodies, "MAX_OTHER", 2000)
    monkeypatch.setattr(bodies, "MAX_HELD", 6000)
    monkeypatch.setattr(bodies, "SMALL", 1000)


def test_body_comes_whole() -> None:
    async def go() -> None:
        sender = Sender(Bodies(length))
        await sender.send(1500)
        await sender.send(2500, more=False)
        assert await sender.answer() == (200, "4000")

    asyncio.run(go())


@pytest.mark.parametrize(("path", "size"), [("/ask/read", 4001), ("/gradio_api/upload", 2001)])
def test_body_that_is_too_large_is_refused_when_it_has_all_come(path: str, size: int) -> None:
    async def go() -> None:
        sender = Sender(Bodies(length), path)
        await sender.send(size)
        assert not sender.task.done()
        await sender.send(1, more=False)
        status, text = await sender.answer()
        assert (status, '"too_large"' in text) == (413, True)

    asyncio.run(go())


def test_body_that_stalls_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.1)

    async def go() -> None:
        sender = Sender(Bodies(length))
        await sender.send(3000)
        status, text = await sender.answer()
        assert (status, '"too_slow"' in text) == (408, True)

    asyncio.run(go())


def finish(sender: Sender) -> None:
    sender.leave()


def cancel(sender: Sender) -> None:
    sender.task.cancel()


@pytest.mark.parametrize("end", [finish, cancel])
def test_stalled_bodies_leave_room_only_for_small_ones_until_they_end(end: Callable[[Sender], None]) -> None:
    async def go() -> None:
        app = Bodies(length)
        stalled = [Sender(app), Sender(app)]
        for one in stalled:
            await one.send(3000)
        late = Sender(app)
        await late.send(1001, more=False)
        status, text = await late.answer()
        assert (status, '"busy"' in text) == (503, True)
        small = Sender(app)
        await small.send(1000, more=False)
        assert await small.answer() == (200, "1000")
        for one in stalled:
            end(one)
        await asyncio.wait([one.task for one in stalled])
        again = Sender(app)
        await again.send(4000, more=False)
        assert await again.answer() == (200, "4000")

    asyncio.run(go())
