"""How many cores, replicas and gigabytes a load takes, and what is full first: `make scale` (docs/scale.md).

All inputs are measured: `make bench-costs` (what a request costs), `make bench-replicas` (what nginx costs in
compose), `make bench-cluster` (papers a second in bulk). The formulae are printed with the tables. It is a
calculation: it holds for cores like the measured machine's, and nobody has run that many.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.conditions import RESULTS, read

LINKS = (1, 10, 25)
"""Gbit/s."""

ON_THE_WIRE = 1.06
"""Ethernet's, IP's and TCP's headers: 78 bytes for each 1,448 of a full packet, and acknowledgements."""

USED = 0.7
"""The share of a core, a proxy or a link that a plan uses: above it waiting grows (`make simulation`)."""

DISK = 200
"""MB/s of one hard disk that reads files in a row."""

DAY = 86400


@dataclass(frozen=True, slots=True)
class Kind:
    """What one request of a kind takes: processor time in ms, and bytes on the wire."""

    name: str
    service_ms: float
    decoding_ms: float
    proxy_ms: float
    wire_bytes: float

    @property
    def replica(self) -> float:
        """The most answers a second of one replica with one core."""
        return 1000 / self.service_ms

    @property
    def proxy_core(self) -> float:
        """The most requests a second of one core of the proxy."""
        return 1000 / self.proxy_ms

    def link(self, gigabits: float) -> float:
        """The most requests a second that a link of so many Gbit/s carries."""
        return gigabits * 1e9 / (8 * ON_THE_WIRE * self.wire_bytes)


@dataclass(frozen=True, slots=True)
class Need:
    """What a number of requests a second takes, each part used by `USED`."""

    replicas: int
    gigabytes: float
    proxy_cores: int
    gigabits: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All inputs.

    `replica_mb` is memory of a replica beside its workers, `papers_a_core` what a core reads a second in
    bulk, and `under` the conditions of each measurement.
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
        """From the results' JSON; the proxy's cost of a drawing is that in compose."""
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
        """What so many requests a second of a kind take."""
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
    """The inputs that are stored in benchmarks/results."""
    costs, replicas, bulk = (read(RESULTS / f"{name}.json") for name in ("costs", "replicas", "cluster"))
    return Measured.of(costs, replicas, bulk)


def worksheet(inputs: Measured, rate: float = 10_000, digits: float = 1e9) -> Iterator[str]:
    """The lines of the whole calculation, as Markdown."""
    yield f"Measured by {'; '.join(inputs.under)}."
    yield ""
    yield from _inputs(inputs)
    yield ""
    yield from _service(inputs, rate)
    yield ""
    yield from _first(inputs)
    yield ""
    yield from _bulk(inputs, digits)


def _inputs(inputs: Measured) -> Iterator[str]:
    yield "| one request | service, ms | of it decoding | proxy, ms | bytes on the wire |"
    yield "|---" * 5 + "|"
    for kind in inputs.kinds:
        share = kind.decoding_ms / kind.service_ms
        yield (
            f"| {kind.name} | {kind.service_ms:.2f} | {share:.0%} | {kind.proxy_ms:.2f} "
            f"| {kind.wire_bytes:,.0f} |"
        )
    yield ""
    yield f"Memory: {inputs.replica_mb:.0f} MB a replica, and {inputs.worker_mb:.0f} MB each of its workers."


def _service(inputs: Measured, rate: float) -> Iterator[str]:
    yield f"**{rate:,.0f} requests a second of one kind.** Each part is used by {USED:.0%}."
    yield ""
    yield f"- replicas of one worker and one core = {rate:,.0f} x service ms / 1000 / {USED}"
    yield f"- memory = replicas x ({inputs.replica_mb:.0f} + {inputs.worker_mb:.0f}) MB"
    yield f"- cores of nginx = {rate:,.0f} x proxy ms / 1000 / {USED}"
    yield f"- network in front of the proxy = {rate:,.0f} x bytes x 8 x {ON_THE_WIRE} / {USED}"
    yield ""
    yield "| of | replicas (cores) | memory, GB | cores of nginx | network, Gbit/s |"
    yield "|---" * 5 + "|"
    for kind in inputs.kinds:
        need = inputs.need(kind, rate)
        yield (
            f"| {kind.name} | {need.replicas:,} | {need.gigabytes:,.0f} | {need.proxy_cores:,} "
            f"| {need.gigabits:,.1f} |"
        )


def _first(inputs: Measured) -> Iterator[str]:
    yield "**What is full first** as replicas are added: so many replicas, all busy, fill it."
    yield ""
    yield "- one core of nginx: service ms / proxy ms"
    yield f"- a link of G Gbit/s: G x 10^9 / (8 x {ON_THE_WIRE} x bytes) / (1000 / service ms)"
    yield ""
    links = " | ".join(f"{link} Gbit/s" for link in LINKS)
    yield f"| of | a replica, a second | one core of nginx | {links} | first |"
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
    yield f"**{digits:,.0f} digits in a day** (`digits FOLDER --cluster`; scans of pages and tables)."
    yield ""
    yield f"- papers a second = digits / {inputs.digits_a_paper:.1f} a paper / {DAY:,} s = {rate:,.0f}"
    yield f"- cores = that / {inputs.papers_a_core:.1f} papers a second for a core = {cores:,}"
    memory = cores * inputs.worker_mb / 1000
    yield f"- memory = cores x {inputs.worker_mb:.0f} MB = {memory:,.0f} GB, and Ray's own"
    yield (
        f"- reading from disk or S3 = that x {inputs.bytes_a_paper / 1000:,.0f} kB = {megabytes:,.0f} MB/s, "
        f"{papers * inputs.bytes_a_paper / 1e12:,.1f} TB in all"
    )
    each = inputs.papers_a_core * inputs.bytes_a_paper / 1e6
    link = 10_000 / 8 / ON_THE_WIRE
    yield f"- {DISK / each:,.0f} cores fill a disk of {DISK} MB/s, {link / each:,.0f} a link of 10 Gbit/s"


if __name__ == "__main__":
    main()
