"""Workers share connections: who holds the fewest takes the next."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from service import listening
from service.listening import Listener
from service.tally import Tally


def test_tally_knows_who_has_fewer(tmp_path: Path) -> None:
    one, other = (Tally(tmp_path / "connections", worker) for worker in (1, 2))
    assert not one.others_have_fewer()
    one.took()
    assert one.others_have_fewer()
    assert not other.others_have_fewer()
    other.took()
    other.took()
    assert not one.others_have_fewer()
    other.lost()
    assert not other.others_have_fewer()


def test_tally_does_not_wait_for_the_dead(tmp_path: Path) -> None:
    file = tmp_path / "connections"
    code = f"from pathlib import Path; from service.tally import Tally; Tally(Path({str(file)!r}), 2)"
    subprocess.run([sys.executable, "-c", code], check=True)
    survivor = Tally(file, 1)
    survivor.took()
    assert not survivor.others_have_fewer()


def test_tally_does_not_wait_for_who_takes_no_more(tmp_path: Path) -> None:
    one, other = (Tally(tmp_path / "connections", worker) for worker in (1, 2))
    one.took()
    assert one.others_have_fewer()
    other.leave()
    assert not one.others_have_fewer()


def test_tally_begins_anew_where_a_worker_comes_back(tmp_path: Path) -> None:
    Tally(tmp_path / "connections", 1).took()
    assert not Tally(tmp_path / "connections", 1).others_have_fewer()


class Counted(asyncio.Protocol):
    """A connection that counts as uvicorn's do."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def connection_lost(self, _error: Exception | None) -> None:
        self._tally.lost()


def listeners(file: Path, listener: socket.socket, number: int) -> list[tuple[Listener, Tally]]:
    """Several workers in one process, which listen on one socket."""
    tallies = [Tally(file, worker) for worker in range(number)]
    return [(Listener(partial(Counted, tally), listener.dup(), tally), tally) for tally in tallies]


def held(tally: Tally) -> int:
    return int(tally._own[1])


def listening_socket() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("workers", [2, 3])
def test_connections_are_shared_evenly(workers: int, tmp_path: Path) -> None:
    async def connect() -> list[int]:
        with listening_socket() as listener:
            each = listeners(tmp_path / "connections", listener, workers)
            clients = [socket.create_connection(listener.getsockname()) for _ in range(4 * workers)]
            await until(lambda: sum(held(tally) for _, tally in each) == 4 * workers)
            counts = [held(tally) for _, tally in each]
            for client in clients:
                client.close()
            await until(lambda: not any(held(tally) for _, tally in each))
            for server, _ in each:
                server.close()
                await server.wait_closed()
            return counts

    assert asyncio.run(connect()) == [4] * workers


def test_connection_is_taken_though_those_with_fewer_are_busy(tmp_path: Path) -> None:
    async def connect() -> None:
        with listening_socket() as listener:
            Tally(tmp_path / "connections", 1)  # of a worker that never comes
            ((server, tally),) = listeners(tmp_path / "connections", listener, 1)
            clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
            await until(lambda: held(tally) == 3)
            server.close()
            for client in clients:
                client.close()

    asyncio.run(connect())


def test_closed_listener_takes_nobody(tmp_path: Path) -> None:
    async def connect() -> None:
        with listening_socket() as listener:
            ((server, tally),) = listeners(tmp_path / "connections", listener, 1)
            server.close()  # of its own copy of the socket
            with socket.create_connection(listener.getsockname()):
                await asyncio.sleep(0.05)
                assert held(tally) == 0

    asyncio.run(connect())


def test_listener_goes_on_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listening, "FULL_SECONDS", 0.05)

    class Full:
        """A socket that has no file descriptor left the first time."""

        def __init__(self, real: socket.socket) -> None:
            self._real = real
            self.fileno, self.close = real.fileno, real.close
            self.refused = 0

        def accept(self) -> Any:
            if not self.refused:
                self.refused += 1
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return self._real.accept()

    async def connect() -> None:
        with listening_socket() as listener:
            Tally(tmp_path / "connections", 2)  # of one that never comes, so it is waited for first
            full, tally = Full(listener), Tally(tmp_path / "connections", 1)
            tally.took()
            server = Listener(lambda: Counted(tally), full, tally)  # type: ignore[arg-type]  # a double
            with socket.create_connection(listener.getsockname()):
                await until(lambda: held(tally) == 2)
            assert full.refused == 1
            server.close()

    asyncio.run(connect())
    assert "cannot be accepted" in caplog.text


def test_served_connections_are_shared_between_workers(
    serving: Callable[..., Any], tiny_model: Path, tmp_path: Path
) -> None:
    with serving(tiny_model, tmp_path / "home", WORKERS="2") as server:
        both = 'digits_workers{model="1"} 2.0'
        while both not in server.get("/metrics").text:
            time.sleep(0.1)
        time.sleep(1)  # from its model to listening
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        workers = psutil.Process(server.process.pid).children()
        attempts = [shared(address, workers) for _ in range(5)]  # a busy machine may hold a worker up, once
    assert attempts.count([4, 4]) >= 4  # by chance it would be one in four


def shared(address: tuple[str, int], workers: list[psutil.Process]) -> list[int]:
    """How many of eight connections each worker holds."""
    while any(found.raddr for worker in workers for found in worker.net_connections()):
        time.sleep(0.01)  # of the eight before, which still count
    clients = [socket.create_connection(address, timeout=5) for _ in range(8)]  # all at once
    for client in clients:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")  # so it has been taken
    ports = {client.getsockname()[1] for client in clients}
    counts = [
        sum(bool(found.raddr) and found.raddr.port in ports for found in worker.net_connections())
        for worker in workers
    ]
    for client in clients:
        client.close()
    return counts
