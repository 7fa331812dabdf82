"""A thousand concurrent connections, most of which send no complete request, for tests and benchmarks."""

from __future__ import annotations

import errno
import selectors
import socket
import time
from itertools import cycle, islice
from types import TracebackType

SIZE = 1000
CONNECT_SECONDS = 30.0


class Crowd:
    """A thousand connections to a port of this machine, in four equal parts.

    Idle ones send nothing, half-sent ones part of the headers, slow ones half of a request, and asking ones a
    whole request, but read no response. All are closed together when the block ends.
    """

    def __init__(self, port: int, body: bytes, kind: str, size: int = SIZE) -> None:
        self._port = port
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._parts = list(islice(cycle([b"", head.encode(), whole[: len(whole) // 2], whole]), size))
        self._clients: list[socket.socket] = []

    @property
    def size(self) -> int:
        return len(self._parts)

    def __enter__(self) -> Crowd:
        """Start all connections, and send the part of each one as soon as it is established."""
        end = time.monotonic() + CONNECT_SECONDS
        with selectors.DefaultSelector() as waiting:
            for part in self._parts:
                client = socket.socket()
                client.setblocking(False)
                if client.connect_ex(("127.0.0.1", self._port)) not in (0, errno.EINPROGRESS):
                    raise ConnectionError("a connection was refused")
                self._clients.append(client)
                waiting.register(client, selectors.EVENT_WRITE, part)
            while waiting.get_map():
                if time.monotonic() > end:
                    raise ConnectionError(f"{len(waiting.get_map())} connections were not accepted")
                for key, _ in waiting.select(1):
                    waiting.unregister(key.fileobj)
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    ready.send(key.data)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
