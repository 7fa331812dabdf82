"""Bodies that are slow, large or cut off, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from service.app import in_front
from service.errors import Busy
from service.pictures import upload
from service.runtime.champion import Champion
from service.runtime.queues import Queue
from service.runtime.worker import Worker

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def address(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The application on a thread of this process, with short timeouts."""
    monkeypatch.setattr(upload, "READ_SECONDS", 0.7)
    champion = Champion(tiny_model)
    champion.refresh()

    async def nowhere(*_arguments: Any) -> None:
        raise AssertionError("nothing here is for BentoML")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(in_front(nowhere, Worker(champion)), lifespan="off", log_config=None)
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
    """Send bytes with pauses, and return the status and JSON of the response."""

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
    """The status and JSON of one response; (0, {}) if the connection was closed without one."""
    file = client.makefile("rb")
    status = file.readline()
    if not status:
        return 0, {}
    headers = dict(line.lower().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
    return int(status.split()[1]), json.loads(file.read(int(headers[b"content-length"])))


def test_slow_bodies_are_refused(ask: Ask) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    status, problem = ask(head, *[b"a"] * 15, pause=0.1)
    assert (status, problem["code"]) == (408, "too_slow")


def test_a_client_that_leaves_is_no_fault(ask: Ask, address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404


def test_many_slow_senders_hold_up_nobody(
    ask: Ask, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are still connected when the others have their answers."""
    monkeypatch.setattr(upload, "READ_SECONDS", 4)
    slow = [socket.create_connection(address) for _ in range(100)]
    try:
        for client in slow:
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc")
        begin = time.monotonic()
        assert ask(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404
        assert ask(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")[0] == 422
        assert time.monotonic() - begin < 3.5
    finally:
        for client in slow:
            client.close()


def test_requests_on_one_connection_go_on_after_a_refusal(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as client:
        for path, status in (("/nowhere", 404), ("/model", 200), ("/predict", 405), ("/model", 200)):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert answer_of(client)[0] == status


@pytest.mark.parametrize("path", ["/predict", "/nowhere"])
def test_refused_client_that_waits_to_be_asked_for_its_body_gets_one_answer(
    address: tuple[str, int], path: str
) -> None:
    """Otherwise, the next request on the connection would be taken for the body that was never sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(head.encode())
        file = client.makefile("rb")
        assert file.read().count(b"HTTP/1.1 4") == 1  # until the connection is closed


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


def test_a_refusal_for_lack_of_time_is_held_back(
    ask: Ask, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that retry immediately are slowed down, and no other client waits."""

    def full(_: Queue) -> None:
        raise Busy("There is too much to do.")

    held = 1.5
    monkeypatch.setattr(Busy, "held_seconds", held)
    monkeypatch.setattr(Queue, "admit", full)
    with socket.create_connection(address, timeout=5) as client:
        for _ in range(2):
            begin = time.perf_counter()
            client.sendall(b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n")
            assert ask(b"GET /model HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
            assert time.perf_counter() - begin < 0.9 * held
            assert answer_of(client)[0] == 503
            assert time.perf_counter() - begin > 0.95 * held
