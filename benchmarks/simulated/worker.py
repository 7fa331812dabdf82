"""A worker of the service, with the event loop, queues and limits of service/runtime/queues.py."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from benchmarks.simulated.cores import Cores
from benchmarks.simulated.times import Times
from service.app import CLOSE_EVERY
from service.errors import Busy
from service.runtime.queues import PHOTOS_LIMIT, QUICK_LIMIT, THREAD_SECONDS

PHOTO_WEIGHT = 23 / 1024
"""The weight of a thread of niceness 17, if others have 1 (Linux's `sched_prio_to_weight`)."""

Process = Generator[simpy.Event, Any, None]


@dataclass(slots=True, eq=False)
class Request:
    """One request. `answered` is called with whether it succeeded and whether the connection closes."""

    answered: Callable[[bool, bool], None]
    photo: float = 0.0  # seconds of processor time on the photos' thread; 0 is a drawing
    left: bool = field(default=False)  # answered or refused already, so a later result is ignored


@dataclass(slots=True, eq=False)
class Connection:
    """A connection of one client, and the worker that accepted it."""

    worker: Worker | None = None


class Listening:
    """A listening socket, with the connections (each with one request) that no worker has accepted yet."""

    def __init__(self) -> None:
        self.backlog: deque[tuple[Connection, Request]] = deque()
        self._workers: list[Worker] = []

    def add(self, worker: Worker) -> None:
        self._workers.append(worker)

    def connect(self, connection: Connection, request: Request) -> None:
        """Add a new connection, and wake all sleeping workers; the first of them accepts it."""
        self.backlog.append((connection, request))
        for worker in self._workers:
            worker.wake()


class Worker:
    """One process with one event loop, which counts its `answers` and `refusals`."""

    def __init__(
        self, env: simpy.Environment, cores: Cores, times: Times, rng: random.Random, listening: Listening
    ) -> None:
        self.answers = 0
        self.refusals = 0
        self.dead = False
        self._env, self._cores, self._times, self._rng = env, cores, times, rng
        self._work = times.in_order(rng)
        self._listening = listening
        self._arrived: deque[Request] = deque()
        self._expected: deque[tuple[Connection, Request]] = deque()
        self._quick: deque[Request] = deque()
        self._late: deque[Request] = deque()  # delayed refusals that are due
        self._read: deque[Request] = deque()  # photos that have been read, whose answers are due
        self._photos = simpy.Store(env)
        self._photos_waiting = 0
        self._in_flight = 0
        self._until_read = 0  # iterations until the next drawing is read
        self._sleeping: simpy.Event | None = None
        listening.add(self)
        env.process(self._loop())
        env.process(self._photo_thread())

    def arrive(self, request: Request) -> None:
        """Receive a request on a connection that this worker has accepted."""
        self._arrived.append(request)
        self.wake()

    def expect(self, connection: Connection, request: Request) -> None:
        """Receive a request on a connection that this worker has still to accept."""
        self._expected.append((connection, request))
        self.wake()

    def wake(self) -> None:
        """Wake the event loop if it sleeps."""
        if self._sleeping is not None:
            self._sleeping.succeed()
            self._sleeping = None

    def _idle(self) -> bool:
        queues = (self._arrived, self._quick, self._late, self._read)
        return not (any(queues) or self._expected or self._listening.backlog)

    def _loop(self) -> Process:
        """Each iteration reads at most one drawing, accepts at most one connection, and parses requests.

        A drawing that finds the queue empty is read in the next iteration. One that waits is woken when the
        drawing before it has been read, and is read two iterations later.
        """
        while not self.dead:
            if self._idle():
                self._sleeping = self._env.event()
                yield self._sleeping
                yield self._env.timeout(self._rng.uniform(0.8, 1.2) * self._times.wakeup)
                continue
            arrived, self._arrived = self._arrived, deque()
            self._until_read -= 1
            if self._quick and self._until_read <= 0:
                yield self._cores.run(next(self._work))
                self._answer(self._quick.popleft(), True)
                self._until_read = 2
            if waiting := self._expected or self._listening.backlog:
                connection, request = waiting.popleft()
                yield self._cores.run(self._times.accepting)
                connection.worker = self
                self._arrived.append(request)
            for request in arrived:
                yield self._cores.run(self._times.parsing)
                self._admit(request)
            for leaving, went_well in ((self._late, False), (self._read, True)):
                while leaving:
                    yield self._cores.run(self._times.refusal)
                    self._answer(leaving.popleft(), went_well)

    def _admit(self, request: Request) -> None:
        self._in_flight += 1
        if request.photo and self._photos_waiting < PHOTOS_LIMIT:
            self._photos_waiting += 1
            self._photos.put(request)
            self._env.process(self._held(request, THREAD_SECONDS))
        elif not request.photo and len(self._quick) < QUICK_LIMIT:
            if not self._quick:
                self._until_read = 1
            self._quick.append(request)
        else:
            self._env.process(self._held(request, Busy.held_seconds))

    def _held(self, request: Request, seconds: float) -> Process:
        """Refuse the request after `seconds`, unless it has been answered by then."""
        yield self._env.timeout(seconds)
        if not request.left:
            self._late.append(request)
            self.wake()

    def _photo_thread(self) -> Process:
        while not self.dead:
            request = yield self._photos.get()
            yield self._cores.run(request.photo, PHOTO_WEIGHT)
            self._photos_waiting -= 1
            if not request.left:
                self._read.append(request)
                self.wake()

    def _answer(self, request: Request, went_well: bool) -> None:
        if request.left or self.dead:
            return
        request.left = True
        self.answers += went_well
        self.refusals += not went_well
        closes = self._in_flight > 1 and (self.answers + self.refusals) % CLOSE_EVERY == 0
        self._in_flight -= 1
        request.answered(went_well, closes)
