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
from ssl import SSLContext
from typing import Any

from service.connection import Connection
from service.tally import Tally

YIELD_SECONDS = 0.006  # that a worker leaves new connections to those who hold fewer, at most
ALONE_SECONDS = 0.05  # that it does not wait for them again, once they have let their time pass
_LOOK_SECONDS = 0.001  # until it looks again whether they still do
FULL_SECONDS = 1.0  # until the next try where the system has no room for a connection

_logger = logging.getLogger("service")


class Listener:
    """Accepts connections on a socket that other workers accept from too, one a turn of the loop.

    In place of asyncio's server, as far as uvicorn uses one.
    """

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        listening: socket.socket,
        tally: Tally,
        ssl: SSLContext | None = None,
    ) -> None:
        self._make = make
        self._ssl = ssl
        self._socket = listening
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._yields_until = 0.0  # on the loop's clock; 0: it takes what comes
        self._alone_until = 0.0
        tally.when_lost = self._lost
        self._listen()

    def close(self) -> None:
        """Accept no more; connections that are open stay open."""
        self._closed = True
        self._tally.leave()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    async def wait_closed(self) -> None:
        """Until connections that were just accepted are open."""
        if self._opening:
            await asyncio.wait(self._opening)

    def _listen(self) -> None:
        if not self._closed:
            self._yields_until = 0.0
            self._loop.add_reader(self._socket, self._come)

    def _come(self) -> None:
        """A connection is there, for whoever takes it."""
        if self._tally.others_have_fewer() and self._loop.time() > self._alone_until:
            self._loop.remove_reader(self._socket)
            self._yields_until = self._loop.time() + YIELD_SECONDS
            self._loop.call_later(_LOOK_SECONDS, self._look)
        else:
            self._take()

    def _look(self) -> None:
        """While others are left the new connections: have they taken them, or had their time?"""
        if self._closed or self._yields_until == 0:
            return  # or it listens again already
        if self._loop.time() > self._yields_until:
            self._alone_until = self._loop.time() + ALONE_SECONDS
            self._listen()
            self._take()
        elif self._tally.others_have_fewer():
            self._loop.call_later(_LOOK_SECONDS, self._look)
        else:
            self._listen()

    def _lost(self) -> None:
        """One connection less here: it may be this worker's turn now."""
        if self._yields_until and not self._tally.others_have_fewer():
            self._listen()

    def _take(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another worker was faster, or the client has gone
        except OSError:  # no file descriptors left, most likely
            _logger.exception("A connection cannot be accepted")
            self._loop.remove_reader(self._socket)
            self._loop.call_later(FULL_SECONDS, self._listen)
            return
        self._tally.took()
        accepted.setblocking(False)
        opened = self._loop.connect_accepted_socket(self._make, accepted, ssl=self._ssl)
        opening = self._loop.create_task(opened)
        self._opening.add(opening)
        opening.add_done_callback(self._opened)

    def _opened(self, opening: asyncio.Task[Any]) -> None:
        self._opening.discard(opening)
        if opening.cancelled() or opening.exception():  # the client has gone already
            self._tally.lost()


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
    ssl: SSLContext | None,
) -> Listener:
    sock.listen(backlog)
    sock.setblocking(False)
    return Listener(make, sock, tally, ssl)
