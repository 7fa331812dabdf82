"""Calculates the cores and memory that a load needs, and its first bottleneck: `make scale` (docs/scale.md).

All inputs are measured: the cost of a request (`make bench-costs`), the cost of nginx (`make bench-replicas
ARGS=--bare`), and papers per second in bulk (`make bench-cluster`). The formulae are printed with the tables.
The result holds for cores like those of the measured machine. It has not been tested with that many cores.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.conditions import RESULTS, read

LINKS = (1, 10, 25)
"""Speeds of network links in Gbit/s."""

ON_THE_WIRE = 1.06
"""Overhead of Ethernet, IP and TCP: 78 bytes for each 1,448 of a full packet, and acknowledgements."""

USED = 0.7
"""The planned use of cores, proxy and links, above which requests wait longer (`make simulation`)."""

DISK = 200
"""MB/s of one hard disk that reads sequentially."""

DAY = 86400


@dataclass(frozen=True, slots=True)
class Kind:
    """The costs of one request of a kind: processor time in ms, and bytes on the wire."""

    name: str
    service_ms: float
    decoding_ms: float
    proxy_ms: float
    wire_bytes: float

    @property
    def replica(self) -> float:
        """The maximum number of answers per second of one replica with one core."""
        return 1000 / self.service_ms

    @property
    def proxy_core(self) -> float:
        """The maximum number of requests per second of one core of the proxy."""
        return 1000 / self.proxy_ms

    def link(self, gigabits: float) -> float:
        """The maximum number of requests per second on a link of this many Gbit/s."""
        return gigabits * 1e9 / (8 * ON_THE_WIRE * self.wire_bytes)


@dataclass(frozen=True, slots=True)
class Need:
    """The resources for a number of requests per second, if `USED` of each is used."""

    replicas: int
    gigabytes: float
    proxy_cores: int
    gigabits: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All inputs.

    `replica_mb` is a replica's memory without its workers, `papers_a_core` is the number of papers per second
    and core in bulk, and `under` has the conditions of each measurement.
    """

    kinds: tuple[Kind, ...]
    replica_mb: float
    worker_mb: float
    papers_a_core: float
    digits_a_paper: float
    bytes_a_paper: float
    under: tuple[str, ...]

    @classmethod
    def of(cls, costs: Mapping[str, Any], replicas: Mapping[str, Any], bulk: Mapping[str, Any]) -> Measured:
        """The inputs, from JSON results; the proxy's cost of a drawing was measured with a busy replica."""
        rows: dict[str, dict[str, float]] = {name: dict(row) for name, row in costs["kinds"].items()}
        rows["drawing"]["proxy_ms"] = replicas["replicas"]["1"]["16"]["cpu_proxy"]["median"]
        keys = ("service_ms", "decoding_ms", "proxy_ms", "wire_bytes")
        return cls(
            tuple(Kind(name, *(row[key] for key in keys)) for name, row in rows.items()),
            costs["memory_mb"]["replica"],
            costs["memory_mb"]["worker"],
            bulk["rates"]["one node"],
            costs["papers"]["digits"],
            costs["papers"]["bytes"],
            tuple(_conditions(result) for result in (costs, replicas, bulk)),
        )

    def need(self, kind: Kind, rate: float) -> Need:
        """The resources for `rate` requests of a kind per second."""
        replicas = math.ceil(rate * kind.service_ms / 1000 / USED)
        return Need(
            replicas,
            replicas * (self.replica_mb + self.worker_mb) / 1000,
            math.ceil(rate * kind.proxy_ms / 1000 / USED),
            rate / kind.link(1) / USED,
        )


def _conditions(result: Mapping[str, Any]) -> str:
    cores = f"{result['cores']} cores" if "cores" in result else "two cores"
    return f"`{result['command']}`, {result['date']}, {cores}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures-per-second", type=float, default=10_000)
    parser.add_argument("--digits-per-day", type=float, default=1e9)
    options = parser.parse_args()
    print("\n".join(worksheet(measured(), options.pictures_per_second, options.digits_per_day)))


def measured() -> Measured:
    """The inputs, from the files in benchmarks/results."""
    costs, replicas, bulk = (read(RESULTS / f"{name}.json") for name in ("costs", "replicas-bare", "cluster"))
    return Measured.of(costs, replicas, bulk)


def worksheet(inputs: Measured, rate: float = 10_000, digits: float = 1e9) -> Iterator[str]:
    """The lines of the whole calculation, as Markdown."""
    yield "Measured by"
    yield ""
    yield from (f"- {under}" for under in inputs.under)
    yield ""
    yield from _inputs(inputs)
    yield ""
    yield from _service(inputs, rate)
    yield ""
    yield from _first(inputs)
    yield ""
    yield from _bulk(inputs, digits)


def _inputs(inputs: Measured) -> Iterator[str]:
    yield "| one request | service, ms | decoding, share of it | proxy, ms | bytes on the wire |"
    yield "|---" * 5 + "|"
    for kind in inputs.kinds:
        share = kind.decoding_ms / kind.service_ms
        yield (
            f"| {kind.name} | {kind.service_ms:.2f} | {share:.0%} | {kind.proxy_ms:.2f} "
            f"| {kind.wire_bytes:,.0f} |"
        )
    yield ""
    yield f"Memory: {inputs.replica_mb:.0f} MB per replica, and {inputs.worker_mb:.0f} MB for each worker."


def _service(inputs: Measured, rate: float) -> Iterator[str]:
    yield f"**{rate:,.0f} requests per second of one kind**, with every part {USED:.0%} busy."
    yield ""
    yield f"- replicas of one worker and one core = {rate:,.0f} x service ms / 1000 / {USED}"
    yield f"- memory = replicas x ({inputs.replica_mb:.0f} + {inputs.worker_mb:.0f}) MB"
    yield f"- cores of nginx = {rate:,.0f} x proxy ms / 1000 / {USED}"
    yield f"- network in front of the proxy = {rate:,.0f} x bytes x 8 x {ON_THE_WIRE} / {USED}"
    yield ""
    yield "| kind | replicas (cores) | memory, GB | cores of nginx | network, Gbit/s |"
    yield "|---" * 5 + "|"
    for kind in inputs.kinds:
        need = inputs.need(kind, rate)
        yield (
            f"| {kind.name} | {need.replicas:,} | {need.gigabytes:,.0f} | {need.proxy_cores:,} "
            f"| {need.gigabits:,.1f} |"
        )


def _first(inputs: Measured) -> Iterator[str]:
    yield "**The first bottleneck**: how many busy replicas saturate each part."
    yield ""
    yield "- one core of nginx: service ms / proxy ms"
    yield f"- a link of G Gbit/s: G x 10^9 / (8 x {ON_THE_WIRE} x bytes) / (1000 / service ms)"
    yield ""
    links = " | ".join(f"{link} Gbit/s" for link in LINKS)
    yield f"| kind | requests per second of a replica | one core of nginx | {links} | first bottleneck |"
    yield "|---" * (4 + len(LINKS)) + "|"
    for kind in inputs.kinds:
        proxy = kind.proxy_core / kind.replica
        filled = [kind.link(link) / kind.replica for link in LINKS]
        first = "a core of nginx" if proxy < filled[0] else "a link of 1 Gbit/s"
        told = " | ".join(f"{many:,.0f}" for many in filled)
        yield f"| {kind.name} | {kind.replica:,.0f} | {proxy:,.0f} | {told} | {first} |"


def _bulk(inputs: Measured, digits: float) -> Iterator[str]:
    papers = digits / inputs.digits_a_paper
    rate = papers / DAY
    cores = math.ceil(rate / inputs.papers_a_core)
    megabytes = rate * inputs.bytes_a_paper / 1e6
    yield f"**{digits:,.0f} digits per day** (`digits FOLDER --cluster`, scans of pages and tables)"
    yield ""
    yield f"- papers per second = digits / {inputs.digits_a_paper:.1f} per paper / {DAY:,} s = {rate:,.0f}"
    yield f"- cores = papers per second / {inputs.papers_a_core:.1f} papers per second and core = {cores:,}"
    memory = cores * inputs.worker_mb / 1000
    yield f"- memory = cores x {inputs.worker_mb:.0f} MB = {memory:,.0f} GB, and the memory of Ray itself"
    yield (
        f"- reading from disk or S3 = papers per second x {inputs.bytes_a_paper / 1000:,.0f} kB "
        f"= {megabytes:,.0f} MB/s, {papers * inputs.bytes_a_paper / 1e12:,.1f} TB in total"
    )
    each = inputs.papers_a_core * inputs.bytes_a_paper / 1e6
    link = 10_000 / 8 / ON_THE_WIRE
    yield f"- {DISK / each:,.0f} cores saturate a disk of {DISK} MB/s"
    yield f"- {link / each:,.0f} cores saturate a link of 10 Gbit/s"


if __name__ == "__main__":
    main()
