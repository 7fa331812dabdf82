"""What the simulation is fed with: times that were measured where nothing waits."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FULL = 16
"""Connections that keep all cores busy: only then does other work take anything from the service."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of processor time, and of waking up.

    `parsing` is taking a request from the connection up to its queue, `work` samples of decoding, reading and
    answering it, `refusal` the answer to one that is refused, `accepting` taking a new connection, `client`
    what wrk takes for an answer, and `wakeup` how long a sleeping process takes to run. `contention` is
    told of in `benchmarks.simulated.cores`, and `others` is how many cores other work took.
    """

    parsing: float
    refusal: float
    accepting: float
    client: float
    wakeup: float
    contention: float
    others: float
    work: Sequence[float] = field(repr=False)

    @classmethod
    def of(cls, curve: Mapping[str, Any]) -> Times:
        """From what `make bench-curve` measured: its `inputs`, and what other work took meanwhile.

        A single latency is the service's processor time and a constant (the client, waking up, the kernel's
        loopback): their difference in the mean. The way of a refusal is taken apart in two halves,
        before the queue and behind it.
        """
        inputs, points = curve["inputs"], curve["points"]
        answer, samples = inputs["answer"], inputs["samples_ms"]
        constant = statistics.fmean(samples) - answer["cpu_service"]
        others = statistics.median(_others(points[at]) for at in points if int(at) >= FULL)
        half = inputs["refusal"]["cpu_service"] / 2
        work = [max(sample - constant - half, answer["cpu_service"] / 10) / 1000 for sample in samples]
        on_the_way = answer["p50"] - statistics.median(samples) + constant - answer["cpu_wrk"]
        return cls(
            parsing=half / 1000,
            refusal=half / 1000,
            accepting=max(inputs["refusal_on_new_ms"] - 2 * half, 0.0) / 1000,
            client=answer["cpu_wrk"] / 1000,
            wakeup=max(on_the_way / 2, 0.0) / 1000,
            contention=max(inputs["contention"], 1.0),
            others=others if curve["workers"] >= curve["cores"] else 0.0,
            work=work,
        )

    @property
    def answer(self) -> float:
        """The service's processor time for an answer, in the mean."""
        return self.parsing + statistics.fmean(self.work)

    def of_work(self, rng: random.Random) -> float:
        """One of the samples."""
        return rng.choice(self.work)


def _others(point: Mapping[str, Sequence[float]]) -> float:
    """How many cores other work took in the measurements of a point: the median of rounds."""
    rounds = zip(point["cpu_rest"], point["requests"], point["seconds"], strict=True)
    return statistics.median(
        max(spent * requests / 1000 / seconds, 0.0) for spent, requests, seconds in rounds
    )
