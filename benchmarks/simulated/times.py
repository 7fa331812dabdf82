"""The inputs of the simulation: times that were measured while no request had to wait."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

FULL = 16
"""From this number of connections on, all cores are busy. Only then does other work slow the service down."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of processor time, and the seconds until a woken process runs (`wakeup`).

    - `parsing`: from the connection to the queue.
    - `work`: samples of decoding and reading a picture and sending the answer, as they followed each other.
    - `refusal`: sending a refusal.
    - `accepting`: accepting a new connection.
    - `connecting`: the client's time to open one connection of many.
    - `client`: wrk's work for one answer.
    - `contention`: as in `benchmarks.simulated.cores.Cores`.
    - `others`: the number of cores that other programs used.
    """

    parsing: float
    refusal: float
    accepting: float
    connecting: float
    client: float
    wakeup: float
    contention: float
    others: float
    work: Sequence[float] = field(repr=False)

    @classmethod
    def of(cls, curve: Mapping[str, Any]) -> Times:
        """The times from a result of `make bench-curve`: its `inputs`, and the use of cores by other work.

        The latency of a single request is the service's processor time plus a constant (client, wakeup,
        loopback), which is therefore the mean latency minus the mean processor time. The time of a refusal is
        divided equally between the work before the queue and the work after it.
        """
        inputs, points = curve["inputs"], curve["points"]
        answer, samples = inputs["answer"], inputs["samples_ms"]
        constant = statistics.fmean(samples) - answer["cpu_service"]
        others = statistics.median(_others(points[at]) for at in points if int(at) >= FULL)
        half = inputs["refusal"]["cpu_service"] / 2
        work = [max(sample - constant - half, answer["cpu_service"] / 10) / 1000 for sample in samples]
        on_the_way = answer["p50"] - inputs["samples_p50"] + constant - answer["cpu_wrk"]
        return cls(
            parsing=half / 1000,
            refusal=half / 1000,
            accepting=max(inputs["refusal_on_new_ms"] - 2 * half, 0.0) / 1000,
            connecting=inputs["connecting_ms"] / 1000,
            client=answer["cpu_wrk"] / 1000,
            wakeup=max(on_the_way / 2, 0.0) / 1000,
            contention=max(inputs["contention"], 1.0),
            others=others if curve["workers"] >= curve["cores"] else 0.0,
            work=work,
        )

    @property
    def answer(self) -> float:
        """The service's mean processor time for an answer."""
        return self.parsing + statistics.fmean(self.work)

    def in_order(self, rng: random.Random) -> Iterator[float]:
        """The samples of `work` again and again in the order of their measurement, from a random one on.

        A shared machine is slower for tenths of seconds to seconds, so successive requests are equally slow.
        """
        first = rng.randrange(len(self.work))
        return cycle([*self.work[first:], *self.work[:first]])


def _others(point: Mapping[str, Sequence[float]]) -> float:
    """The number of cores that other work used at a point of the curve: the median over rounds."""
    rounds = zip(point["cpu_rest"], point["requests"], point["seconds"], strict=True)
    return statistics.median(
        max(spent * requests / 1000 / seconds, 0.0) for spent, requests, seconds in rounds
    )
