"""How workers share new connections: who holds the fewest takes the next.

All workers listen on one socket, and the first to wake accepts. Left at that, half of the time all of four
clients are with one of two workers, and the other's core has nothing to do.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from service.connection import Connection
from service.tally import Tally

YIELD_SECONDS = 0.002  # that a worker leaves a new connection to those who hold fewer
FULL_SECONDS = 1.0  # until the next try where the system has no room for a connection

_logger = logging.getLogger("service")


class Listener:
    """Accepts connections on a socket that other workers accept from too, one a turn of the loop.

    In place of asyncio's server, as far as uvicorn uses one.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], listening: socket.socket, tally: Tally) -> None:
        self._make = make
        self._socket = listening
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._listen()

    def close(self) -> None:
        """Accept no more; connections that are open stay open."""
        self._closed = True
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def wait_closed(self) -> None:
        """Until connections that were just accepted are open."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket, self._come)

    def _pause_for(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.call_later(seconds, then)

    def _come(self) -> None:
        """A connection is there, for whoever takes it."""
        if self._tally.others_have_fewer():
            self._pause_for(YIELD_SECONDS, self._take_and_listen)
        else:
            self._take()

    def _take_and_listen(self) -> None:
        if not self._closed:
            self._listen()
            self._take()

    def _take(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another worker was faster, or the client has gone
        except OSError:  # no file descriptors left, most likely
            _logger.exception("A connection cannot be accepted")
            self._pause_for(FULL_SECONDS, self._listen)
            return
        accepted.setblocking(False)
        opening = self._loop.create_task(self._loop.connect_accepted_socket(self._make, accepted))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)


def share(tally: Tally) -> None:
    """Have uvicorn, which is about to listen on the running loop, share connections with other workers."""
    Connection.tally = tally
    loop: Any = asyncio.get_running_loop()
    loop.create_server = partial(_create_server, tally)


async def _create_server(
    tally: Tally,
    make: Callable[[], asyncio.Protocol],
    *,
    sock: socket.socket,
    backlog: int,
    ssl: None,  # noqa: ARG001 (the signature is the loop's)
) -> Listener:
    sock.listen(backlog)
    sock.setblocking(False)
    return Listener(make, sock, tally)
