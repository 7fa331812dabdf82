"""Sources for tests of fetch, all on this machine: mirrors good and bad, a silent host, one that refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


def _handler(
    files: Mapping[str, bytes],
    headers: Mapping[str, str],
    cut: int | None,
    tell_length: bool,
    stall: tuple[int, threading.Event] | None,
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path.removeprefix("/mnist/"))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            if tell_length:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if stall is not None:
                self.wfile.write(content[: stall[0]])
                stall[1].wait(60)
            self.wfile.write(content[:cut])

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    return Handler


@pytest.fixture
def mirror() -> Iterator[Callable[..., str]]:
    """Start a mirror of some files and get its address.

    `cut`: only so many bytes of each file are sent; `stall_after`: so many bytes, and then nothing more.
    """
    released = threading.Event()

    with ExitStack() as stack:

        def serve(
            files: Mapping[str, bytes],
            *,
            headers: Mapping[str, str] | None = None,
            cut: int | None = None,
            tell_length: bool = True,
            stall_after: int | None = None,
        ) -> str:
            stall = None if stall_after is None else (stall_after, released)
            handler = _handler(files, headers or {}, cut, tell_length, stall)
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that leaves
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.callback(released.set)
            return f"http://127.0.0.1:{server.server_port}/mnist"

        yield serve


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a host that takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mnist"


@pytest.fixture
def refusing() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/mnist"
