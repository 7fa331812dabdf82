"""Simulates many replicas, each with its own core, behind one proxy; requests arrive at random times."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import simpy

from benchmarks.simulated.cores import Cores
from benchmarks.simulated.times import Times
from benchmarks.simulated.worker import Connection, Listening, Request, Worker

Policy = Literal["random", "round robin", "least connections"]

CONNECT_SECONDS = 1.0  # proxy_connect_timeout of containers/nginx.conf
KNOWN_SECONDS = 1.0  # the proxy keeps trying a lost replica for this long: `resolver ... valid=1s`


@dataclass(frozen=True, slots=True)
class Setting:
    """The parameters of one simulation.

    `rate` is the number of arrivals per second (Poisson), and `photos` the share of them that are photos. A
    photo takes `photo` seconds of a replica's processor time. The proxy has `proxy_cores` cores; it takes
    `proxy` seconds for a drawing and `photo_proxy` for a photo. `lost_at` is the time in seconds at which the
    first replica's machine fails, or None.
    """

    rate: float
    proxy: float
    replicas: int = 50
    proxy_cores: int = 1
    policy: Policy = "random"
    seconds: float = 4.0
    photos: float = 0.0
    photo: float = 0.0
    photo_proxy: float = 0.0
    lost_at: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """(arrival, latency) in seconds of each answered drawing and photo, counts, and the use of the cores."""

    setting: Setting
    drawings: Sequence[tuple[float, float]] = field(repr=False)
    photos: Sequence[tuple[float, float]] = field(repr=False)
    refused: int
    unfinished: int
    replicas_busy: float  # mean share of a replica's core
    proxy_busy: float  # mean share of a proxy core; above 1 if work is left

    @property
    def rate(self) -> float:
        """Answers per second."""
        return (len(self.drawings) + len(self.photos)) / self.setting.seconds

    def percentile(self, share: float, since: float = 0.0, until: float = float("inf")) -> float:
        """A percentile of the latencies, in ms, of drawings that arrived then; infinity if there are none."""
        found = sorted(latency for arrival, latency in self.drawings if since <= arrival < until)
        return 1000 * found[min(int(share * len(found)), len(found) - 1)] if found else float("inf")


class _Proxy:
    """nginx: half of its work on a request is before the replica's, half after, on the first free core."""

    def __init__(self, env: simpy.Environment, cores: int) -> None:
        self.spent = 0.0
        self._env = env
        self._free = [0.0] * cores

    def turn(self, seconds: float) -> simpy.Event:
        """An event that occurs when a core has done this much work."""
        done = max(self._env.now, heapq.heappop(self._free)) + seconds
        heapq.heappush(self._free, done)
        self.spent += seconds
        return self._env.timeout(done - self._env.now)


class _Replica:
    """One node: a core, a listening socket and a worker."""

    def __init__(self, env: simpy.Environment, times: Times, rng: random.Random) -> None:
        self.cores = Cores(env, 1)
        self.listening = Listening()
        self.worker = Worker(env, self.cores, times, rng, self.listening)
        self.asked: dict[Request, simpy.Event] = {}

    def lose(self) -> None:
        """The machine fails, and its open requests are not answered."""
        self.worker.dead = True
        for lost in list(self.asked.values()):
            lost.succeed(None)
        self.asked.clear()


def run(times: Times, setting: Setting) -> Outcome:
    """Simulate `setting.seconds` seconds."""
    return _Cluster(times, setting).run()


class _Cluster:
    def __init__(self, times: Times, setting: Setting) -> None:
        self._env = simpy.Environment()
        self._rng = random.Random(setting.seed)
        self._setting = setting
        self._proxy = _Proxy(self._env, setting.proxy_cores)
        self._replicas = [_Replica(self._env, times, self._rng) for _ in range(setting.replicas)]
        self._known = list(self._replicas)
        self._chosen = _choices(setting.policy, self._rng)
        self._drawings: list[tuple[float, float]] = []
        self._photos: list[tuple[float, float]] = []
        self._refused = 0
        self._arrived = 0

    def run(self) -> Outcome:
        setting = self._setting
        self._env.process(self._arrivals())
        if setting.lost_at is not None:
            self._env.process(self._loss(setting.lost_at))
        self._env.run(until=setting.seconds)
        busy = sum(replica.cores.spent for replica in self._replicas)
        answered = len(self._drawings) + len(self._photos)
        return Outcome(
            setting,
            self._drawings,
            self._photos,
            self._refused,
            self._arrived - answered - self._refused,
            busy / setting.replicas / setting.seconds,
            self._proxy.spent / setting.proxy_cores / setting.seconds,
        )

    def _arrivals(self) -> Generator[simpy.Event, Any, None]:
        while True:
            yield self._env.timeout(self._rng.expovariate(self._setting.rate))
            self._arrived += 1
            self._env.process(self._request(self._rng.random() < self._setting.photos))

    def _loss(self, at: float) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(at)
        lost = self._replicas[0]
        lost.lose()
        yield self._env.timeout(KNOWN_SECONDS)
        self._known.remove(lost)

    def _request(self, photo: bool) -> Generator[simpy.Event, Any, None]:
        """One request through the proxy, which retries it with another replica if one has failed."""
        began, setting = self._env.now, self._setting
        half = (setting.photo_proxy if photo else setting.proxy) / 2
        yield self._proxy.turn(half)
        went_well: bool | None = None
        while went_well is None:
            replica = self._chosen(self._known)
            if replica.worker.dead:
                yield self._env.timeout(CONNECT_SECONDS)
                continue
            answer = self._env.event()
            request = Request(_telling(answer), setting.photo if photo else 0.0)
            replica.asked[request] = answer
            replica.listening.connect(Connection(), request)
            went_well = yield answer
            replica.asked.pop(request, None)
        yield self._proxy.turn(half)
        if went_well:
            (self._photos if photo else self._drawings).append((began, self._env.now - began))
        else:
            self._refused += 1


def _telling(answer: simpy.Event) -> Callable[[bool, bool], None]:
    def answered(went_well: bool, _closes: bool) -> None:
        if not answer.triggered:
            answer.succeed(went_well)

    return answered


def _choices(policy: Policy, rng: random.Random) -> Callable[[Sequence[_Replica]], _Replica]:
    """A function that chooses the replica for a request.

    `random` is what nginx does if the host name is in a variable: for every request, it starts at a random
    address from the DNS answer.
    """
    turns = itertools.count()

    def least(known: Sequence[_Replica]) -> _Replica:
        fewest = min(len(replica.asked) for replica in known)
        return rng.choice([replica for replica in known if len(replica.asked) == fewest])

    if policy == "random":
        return rng.choice
    if policy == "round robin":
        return lambda known: known[next(turns) % len(known)]
    return least
