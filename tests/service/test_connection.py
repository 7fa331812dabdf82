"""Raw connections: broken, endless and slow requests, over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from service import connection, upload
from service.api import endpoints
from service.champion import Champion
from service.errors import Busy
from service.gate import Gate
from service.lanes import Lane, Lanes
from service.tally import Tally

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def address(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The service on a thread of this process, with little patience."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(upload, "READ_SECONDS", 0.7)
    champion = Champion(tiny_model)
    champion.refresh()

    async def nowhere(*_arguments: Any) -> None:
        raise AssertionError("nothing here is for BentoML")

    gate = Gate(nowhere, endpoints(champion, Lanes()))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(gate, http=connection.Connection, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def ask(address: tuple[str, int]) -> Ask:
    """Send bytes, pausing between them, and give the status and JSON that come back."""

    def send(*chunks: bytes, pause: float = 0) -> tuple[int, dict[str, Any]]:
        with socket.create_connection(address, timeout=5) as client:
            for chunk in chunks:
                try:
                    client.sendall(chunk)
                except OSError:
                    break  # refused before all was sent
                time.sleep(pause)
            return answer_of(client)

    return send


def answer_of(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and JSON of one answer; (0, {}) where the connection was closed without any."""
    file = client.makefile("rb")
    status = file.readline()
    if not status:
        return 0, {}
    headers = dict(line.lower().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
    return int(status.split()[1]), json.loads(file.read(int(headers[b"content-length"])))


def test_broken_http_is_refused_in_the_one_shape(ask: Ask) -> None:
    for request in (b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\0\1", b"GET / HTTP/9.9\r\n\r\n"):
        status, problem = ask(request)
        assert (status, set(problem), problem["code"]) == (400, {"error", "code"}, "broken_http")


def test_all_connections_lead_to_one_app(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_straight_to", None)
    connection.lead_to(JSONResponse({"by": "another"}))
    assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n") == (200, {"by": "another"})


def received(client: socket.socket, end: bytes) -> list[bytes]:
    """What comes until `end`, in the pieces in which it comes."""
    pieces: list[bytes] = []
    while not b"".join(pieces).endswith(end):
        pieces.append(client.recv(65536))
        assert pieces[-1], f"closed after {pieces}"
    return pieces


class Recorder:
    """A transport that keeps what is written to it, too."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport, self._written = transport, written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)


def test_an_answer_leaves_in_one_piece(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    begun = connection.Connection.connection_made

    def recorded(self: connection.Connection, transport: asyncio.Transport) -> None:
        begun(self, transport)
        self.transport = cast(asyncio.Transport, Recorder(transport, written))

    monkeypatch.setattr(connection.Connection, "connection_made", recorded)
    assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404
    assert len(written) == 1


def test_the_answer_to_head_is_not_held_back(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(b"HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"".join(received(client, b"\r\n\r\n")).startswith(b"HTTP/1.1 40")


def test_who_waits_for_a_go_ahead_gets_it_and_long_answers_come_as_they_are_made(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = threading.Event()

    async def in_parts(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()

        async def parts() -> AsyncIterator[bytes]:
            yield body
            await asyncio.to_thread(more.wait, 5)
            yield b"end"

        await StreamingResponse(parts())(scope, receive, send)

    monkeypatch.setattr(connection, "_straight_to", None)
    connection.lead_to(in_parts)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(head)
        assert b"".join(received(client, b"\r\n\r\n")) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert b"".join(received(client, b"3\r\nabc\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        more.set()
        assert b"".join(received(client, b"0\r\n\r\n")) == b"3\r\nend\r\n0\r\n\r\n"


def test_endless_headers_are_refused(ask: Ask) -> None:
    lines = (b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(1000))
    status, problem = ask(b"GET /livez HTTP/1.1\r\n", *lines)
    assert (status, problem["code"]) == (431, "head_too_large")


def test_an_endless_request_line_is_refused(ask: Ask) -> None:
    status, problem = ask(b"GET /", *[b"a" * 1000] * 200)
    assert (status, problem["code"]) == (431, "head_too_large")


def test_slow_heads_are_refused(ask: Ask) -> None:
    begin = time.monotonic()
    status, problem = ask(*(bytes([letter]) for letter in b"GET /livez HTTP/1.1\r\n"), pause=0.1)
    assert (status, problem["code"]) == (408, "too_slow")
    assert time.monotonic() - begin < 4


def test_connections_that_ask_nothing_are_closed(ask: Ask) -> None:
    begin = time.monotonic()
    assert ask() == (0, {})
    assert ask(b"\r\n")[0] == 408
    assert time.monotonic() - begin < 4


def test_slow_bodies_are_refused(ask: Ask) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    status, problem = ask(head, *[b"a"] * 15, pause=0.1)
    assert (status, problem["code"]) == (408, "too_slow")


def test_a_client_that_leaves_is_no_fault(ask: Ask, address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404


def test_websockets_are_refused(ask: Ask) -> None:
    key = base64.b64encode(os.urandom(16))
    head = b"GET /predict HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    status, problem = ask(head + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
    assert (status, problem["code"]) == (404, "not_found")


def test_connections_are_counted_until_they_end(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tally = Tally(tmp_path / "connections", 1)
    monkeypatch.setattr(connection.Connection, "tally", tally)
    lost = []
    tally.when_lost = lambda: lost.append(1)
    head = b"GET /predict HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    ask(head + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n\r\n")
    ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    end = time.monotonic() + 5
    while len(lost) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(lost) == 2


def test_many_slow_senders_hold_up_nobody(ask: Ask, address: tuple[str, int]) -> None:
    slow = [socket.create_connection(address) for _ in range(100)]
    try:
        for client in slow:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc")
        begin = time.monotonic()
        assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404
        assert ask(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")[0] == 422
        assert time.monotonic() - begin < 0.6
    finally:
        for client in slow:
            client.close()


def test_requests_on_one_connection_go_on_after_a_refusal(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as client:
        for path, status in (("/nowhere", 404), ("/model", 200), ("/predict", 405), ("/model", 200)):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert answer_of(client)[0] == status


def test_large_bodies_share_a_limit(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_HELD", 2 * 2**20)
    monkeypatch.setattr(upload, "READ_SECONDS", 5)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1500000\r\n\r\n"
    with (
        socket.create_connection(address, timeout=5) as first,
        socket.create_connection(address, timeout=5) as last,
    ):
        first.sendall(head + bytes(1_400_000))
        time.sleep(0.3)
        last.sendall(head + bytes(1_400_000))
        assert answer_of(last)[0] == 503
        first.sendall(bytes(100_000))
        assert answer_of(first)[0] == 422
    with socket.create_connection(address, timeout=5) as again:
        again.sendall(head + bytes(1_500_000))
        assert answer_of(again)[0] == 422


def test_who_asks_again_at_once_after_a_refusal_has_to_wait(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Lane) -> None:
        raise Busy("There is too much to do.")

    monkeypatch.setattr(connection, "REST_SECONDS", 0.4)
    monkeypatch.setattr(Lane, "admit", full)
    seconds = []
    with socket.create_connection(address, timeout=5) as client:
        for _ in range(3):
            begin = time.perf_counter()
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n")
            assert answer_of(client)[0] == 503
            seconds.append(time.perf_counter() - begin)
    assert seconds[0] < min(seconds[1:])
    assert min(seconds[1:]) > 0.3
