"""wrk and the service on the same cores: every connection asks again as soon as it is answered."""

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
"""Seconds that other work keeps a core once it has it: a tick of Linux's timer at 250 Hz."""

AT_ONCE = 16
SHARES = (3 / 16, 6 / 16, 5 / 16, 3 / 16, 2 / 16, 0.0)
"""How two workers share the first 16 connections, which come before either is busy: the first one's share.

Counted six times (docs/decisions/overload.md). Later ones are accepted one a turn.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk tells of some seconds: sorted latencies of all responses in seconds, how many were refused.

    `in_system` is how many requests were there in the mean, and `busy_cores` how many cores.
    """

    seconds: float
    latencies: Sequence[float] = field(repr=False)
    refused: int
    in_system: float
    busy_cores: float

    @property
    def rate(self) -> float:
        """Answers a second, refusals not counted."""
        return (len(self.latencies) - self.refused) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that so large a share of responses does not exceed, in ms."""
        return 1000 * self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


def run(
    times: Times, workers: int, connections: int, seconds: float = 3.0, seed: int = 0, cores: int = 2
) -> Run:
    """So many seconds of wrk with one thread, beside one worker or two on so many cores.

    How the system shares the first connections between two workers is one of `SHARES`, by the seed.
    """
    env = simpy.Environment()
    shared = Cores(env, cores, times.contention)
    listening = Listening()
    rng = random.Random(seed)
    first, *second = [Worker(env, shared, times, rng, listening) for _ in range(workers)]
    at_once = min(connections, AT_ONCE)
    its = round(SHARES[seed % len(SHARES)] * at_once) if second else at_once
    accepted_by: list[Worker | None] = [first] * its + second * (at_once - its)
    accepted_by += [None] * (connections - at_once)
    wrk = _Wrk(env, shared, times, listening, accepted_by)
    if times.others:
        env.process(_other_work(env, shared, times.others, rng))
    env.run(until=seconds)
    return Run(seconds, sorted(wrk.latencies), wrk.refused, wrk.in_system() / seconds, shared.spent / seconds)


def _other_work(env: simpy.Environment, cores: Cores, share: float, rng: random.Random) -> Process:
    """What else the machine does: it takes a core for a time slice, so often that it has its share."""
    while True:
        yield env.timeout(rng.expovariate(share / SLICE))
        cores.run(SLICE, weight=1e6)


class _Wrk:
    """One thread with an event loop: it takes one answer after another, and sends the next request."""

    def __init__(
        self,
        env: simpy.Environment,
        cores: Cores,
        times: Times,
        listening: Listening,
        accepted_by: Sequence[Worker | None],
    ) -> None:
        self.latencies: list[float] = []
        self.refused = 0
        self._env, self._cores, self._times, self._listening = env, cores, times, listening
        self._inbox: deque[tuple[Connection, float, bool, bool]] = deque()
        self._sleeping: simpy.Event | None = None
        self._begun: dict[Connection, float] = {}
        for worker in accepted_by:
            self._send(Connection(worker))
        env.process(self._loop())

    def in_system(self) -> float:
        """The sum of all times that requests were there, those that still are too, in seconds."""
        return sum(self.latencies) + sum(self._env.now - sent for sent in self._begun.values())

    def _send(self, connection: Connection) -> None:
        self._begun[connection] = self._env.now
        request = Request(partial(self._receive, connection, self._env.now))
        if connection.worker is None:
            self._listening.connect(connection, request)
        else:
            connection.worker.arrive(request)

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
