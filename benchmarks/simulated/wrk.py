"""wrk and the service on the same cores; each connection sends a new request as soon as it gets an answer."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import simpy

from benchmarks.simulated.cores import Cores
from benchmarks.simulated.times import Times
from benchmarks.simulated.worker import Connection, Listening, Process, Request, Worker

SLICE = 0.004
"""Seconds for which other work keeps a core: one tick of Linux's timer at 250 Hz."""


@dataclass(frozen=True, slots=True)
class Run:
    """The result: the sorted latencies of all responses in seconds, and the number of refusals.

    `in_system` is the mean number of open requests, and `busy_cores` the mean number of busy cores.
    """

    seconds: float
    latencies: Sequence[float] = field(repr=False)
    refused: int
    in_system: float
    busy_cores: float

    @property
    def rate(self) -> float:
        """Answers per second, without refusals."""
        return (len(self.latencies) - self.refused) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in ms that this share of the responses does not exceed."""
        return 1000 * self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


def run(times: Times, connections: Sequence[int], seconds: float = 3.0, seed: int = 0, cores: int = 2) -> Run:
    """Simulate wrk with one thread, and a worker for each entry of `connections`, on the same cores.

    An entry is the number of connections that the worker accepts. wrk opens all connections before it sends
    the first request. The workers accept some of them in this time, and the others between requests.
    """
    env = simpy.Environment()
    shared = Cores(env, cores, times.contention)
    listening = Listening()
    rng = random.Random(seed)
    workers = [Worker(env, shared, times, rng, listening) for _ in connections]
    early = times.connecting * sum(connections) / times.accepting if times.accepting else sum(connections)
    opened = [
        (worker, number < early)
        for worker, its in zip(workers, connections, strict=True)
        for number in range(its)
    ]
    wrk = _Wrk(env, shared, times, listening, opened)
    if times.others:
        env.process(_other_work(env, shared, times.others, rng))
    env.run(until=seconds)
    return Run(seconds, sorted(wrk.latencies), wrk.refused, wrk.in_system() / seconds, shared.spent / seconds)


def _other_work(env: simpy.Environment, cores: Cores, share: float, rng: random.Random) -> Process:
    """Other programs: they take a core for one time slice, often enough to have their share."""
    while True:
        yield env.timeout(rng.expovariate(share / SLICE))
        cores.run(SLICE, weight=1e6)


class _Wrk:
    """One thread with an event loop: it receives an answer, sends the next request, and so on."""

    def __init__(
        self,
        env: simpy.Environment,
        cores: Cores,
        times: Times,
        listening: Listening,
        opened: Sequence[tuple[Worker, bool]],
    ) -> None:
        """`opened`: for each connection, the worker that accepts it, and whether it has done so."""
        self.latencies: list[float] = []
        self.refused = 0
        self._env, self._cores, self._times, self._listening = env, cores, times, listening
        self._inbox: deque[tuple[Connection, float, bool, bool]] = deque()
        self._sleeping: simpy.Event | None = None
        self._begun: dict[Connection, float] = {}
        for worker, accepted in opened:
            connection = Connection(worker)
            if accepted:
                worker.arrive(self._request(connection))
            else:
                worker.expect(connection, self._request(connection))
        env.process(self._loop())

    def in_system(self) -> float:
        """The time that all requests so far, including open ones, were in the system, in seconds."""
        return sum(self.latencies) + sum(self._env.now - sent for sent in self._begun.values())

    def _send(self, connection: Connection) -> None:
        request = self._request(connection)
        if connection.worker is None:
            self._listening.connect(connection, request)
        else:
            connection.worker.arrive(request)

    def _request(self, connection: Connection) -> Request:
        self._begun[connection] = self._env.now
        return Request(partial(self._receive, connection, self._env.now))

    def _receive(self, connection: Connection, sent: float, went_well: bool, closes: bool) -> None:
        self._inbox.append((connection, sent, went_well, closes))
        if self._sleeping is not None:
            self._sleeping.succeed()
            self._sleeping = None

    def _loop(self) -> Process:
        while True:
            if not self._inbox:
                self._sleeping = self._env.event()
                yield self._sleeping
                yield self._env.timeout(self._times.wakeup)
            connection, sent, went_well, closes = self._inbox.popleft()
            yield self._cores.run(self._times.client)
            self.latencies.append(self._env.now - sent)
            self.refused += not went_well
            if closes:
                connection.worker = None
            self._send(connection)
