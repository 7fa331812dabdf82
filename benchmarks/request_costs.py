"""The costs of one request, by kind of picture, and a worker's memory: `make bench-costs` (docs/scale.md).

One connection at a time sends requests to one worker of the service (*low load*: no request has to wait). For
each kind of picture, this measures the processor time of the service for an answer, of decoding alone and of
nginx, and the bytes on the wire. It also measures the processor time of an immediately refused request (a
picture sent to `/livez`, status 405, which takes the path of every refusal), and the memory of a replica and
of each worker.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2

from benchmarks.cluster import DIFFERENT, drawn_paper
from benchmarks.conditions import RESULTS, conditions, write
from benchmarks.load_cost import loaded, processor_seconds, with_children
from benchmarks.low_load import answer_bytes
from benchmarks.reader import paper, photo_of_a_table, written
from benchmarks.replica_sets import bare
from benchmarks.serving_contenders import Contender, Payload, as_form, service
from benchmarks.serving_load import drawn_seven, running
from digits.reader import champion_or_default
from service.pictures.decode import decode

_HEADERS = 200  # bytes of wrk's request line and headers, approximately


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: the bytes of its picture file, and the path that it is sent to."""

    name: str
    picture: bytes
    path: str

    def payload(self) -> Payload:
        return as_form(self.picture)


def kinds() -> tuple[Kind, ...]:
    """A drawing of 280x280 pixels, a line of eight digits, a scanned table, and a photo of 12 megapixels."""
    return (
        Kind("drawing", drawn_seven(), "/predict"),
        Kind("line of eight", _file(written("20471396", (1200, 200), height=90, pen=8), "PNG"), "/read"),
        Kind("table", _file(paper("table"), "PNG"), "/read"),
        Kind("photo, 12 megapixels", _file(photo_of_a_table(), "JPEG"), "/read"),
    )


def _file(image: Any, kind: str) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, quality=90)
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=champion_or_default(), help="model folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (2)")
    parser.add_argument("--port", type=int, default=3190, help="the first of three ports (3190)")
    parser.add_argument("--out", type=Path, default=RESULTS / "costs.json")
    options = parser.parse_args()
    model = options.model.resolve()
    found = kinds()
    decoding = {kind.name: _decoding(kind.picture) for kind in found}
    one, two = (service(found[0].payload(), workers, model) for workers in (1, 2))
    with running([one], options.port):
        costs, refusal = _costs(one, found, decoding, options)
        memory = [_resident(one)]
    with running([two], options.port):
        for kind in found:
            loaded(two.url.replace("/predict", kind.path), kind.payload(), 8, 2, {})
        memory.append(_resident(two))
    with bare(1, found[0].payload(), model, options.port) as behind:
        proxied = _proxied(behind.url, behind.trees, found, options)
    result = conditions(f"make bench-costs ARGS='--rounds {options.rounds}'") | {
        "kinds": {name: row | {"proxy_ms": proxied[name]} for name, row in costs.items()},
        "refusal": refusal,
        "papers": papers(),
        "memory_mb": {
            "replica": round(2 * memory[0] - memory[1], 1),
            "worker": round(memory[1] - memory[0], 1),
        },
    }
    show(result)
    write(options.out, result)


def _costs(
    contender: Contender, found: tuple[Kind, ...], decoding: dict[str, float], options: argparse.Namespace
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """The costs of each kind of picture and of a refusal: medians over rounds."""
    assert contender.process is not None
    trees = {"service": [contender.process.pid]}
    root = contender.url.removesuffix("/predict")
    rounds: dict[str, list[dict[str, float]]] = {}
    for number in range(options.rounds):
        for kind in found:
            measured = loaded(root + kind.path, kind.payload(), 1, options.seconds, trees)
            rounds.setdefault(kind.name, []).append(measured)
        rounds.setdefault("", []).append(
            loaded(f"{root}/livez", found[0].payload(), 1, options.seconds, trees)
        )
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    costs = {
        kind.name: {
            "service_ms": _middle(rounds[kind.name], "cpu_service"),
            "spread_ms": _spread(rounds[kind.name], "cpu_service"),
            "decoding_ms": decoding[kind.name],
            "latency_ms": _middle(rounds[kind.name], "p50"),
            "wrk_ms": _middle(rounds[kind.name], "cpu_wrk"),
            "picture_bytes": len(kind.picture),
            "wire_bytes": len(kind.payload().content)
            + _HEADERS
            + answer_bytes(options.port, kind.payload(), kind.path),
        }
        for kind in found
    }
    return costs, {"service_ms": _middle(rounds[""], "cpu_service"), "wrk_ms": _middle(rounds[""], "cpu_wrk")}


def _proxied(url: str, trees: Any, found: tuple[Kind, ...], options: argparse.Namespace) -> dict[str, float]:
    """Processor time of nginx for a request of each kind, in ms: medians over rounds with 4 connections."""
    root = url.removesuffix("/predict")
    rounds: dict[str, list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for kind in found:
            measured = loaded(root + kind.path, kind.payload(), 4, options.seconds, trees)
            rounds.setdefault(kind.name, []).append(measured)
    return {name: _middle(each, "cpu_proxy") for name, each in rounds.items()}


def _middle(each: list[dict[str, float]], key: str) -> float:
    return round(statistics.median(one[key] for one in each), 4)


def _spread(each: list[dict[str, float]], key: str) -> float:
    return round(max(one[key] for one in each) - min(one[key] for one in each), 4)


def _decoding(picture: bytes) -> float:
    """Processor time of decoding in ms, including that of the sandbox process in which photos are decoded."""
    cv2.setNumThreads(1)
    decode(picture)
    times = []
    for _ in range(5):
        before = processor_seconds([os.getpid()])
        for _ in range(20):
            decode(picture)
        empty = processor_seconds([os.getpid()])
        after = processor_seconds([os.getpid()])
        times.append(1000 * (empty - before - (after - empty)) / 20)
    return round(statistics.median(times), 4)


def papers() -> dict[str, float]:
    """The mean number of digits and of bytes of the papers of `make bench-cluster`."""
    drawn = [drawn_paper(number) for number in range(DIFFERENT)]
    return {
        "digits": round(statistics.fmean(sum(map(str.isdigit, text)) for text, _ in drawn), 2),
        "bytes": round(statistics.fmean(len(_file(image, "PNG")) for _, image in drawn)),
    }


def _resident(contender: Contender) -> float:
    """Memory of a service with all its processes in MB; shared pages count once."""
    assert contender.process is not None
    found = with_children([contender.process.pid])
    return round(sum(float(process.memory_full_info().pss) for process in found) / 1e6, 1)


def show(result: dict[str, Any]) -> None:
    """Print the costs."""
    print("| picture | service, ms | decoding, ms | proxy, ms | bytes on the wire |\n|---|---|---|---|---|")
    for name, row in result["kinds"].items():
        print(
            f"| {name} | {row['service_ms']:.2f} | {row['decoding_ms']:.2f} | {row['proxy_ms']:.2f} "
            f"| {row['wire_bytes']:,} |"
        )
    print(f"A refusal: {json.dumps(result['refusal'])}.")
    print(f"Memory, MB: {json.dumps(result['memory_mb'])}.")


if __name__ == "__main__":
    main()
