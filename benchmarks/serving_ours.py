"""Measurements of our service alone: start, memory, latency while photos are read, overload, and nginx."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.serving_contenders import ROOT, Contender, as_form, service
from benchmarks.serving_load import drawn_seven, load, photo_of_seven, processes, repeating, running


def measure(model: Path, port: int, rounds: int, seconds: int) -> dict[str, Any]:
    """Run and print all measurements."""
    form = as_form(drawn_seven())
    one, two = (service(form, number, model) for number in (1, 2))
    starts = [start_seconds(one, port) for _ in range(rounds)]
    start = statistics.median(starts)
    print(f"start to the first right answer: {start:.1f} s (fastest {min(starts):.1f})")
    with running([one], port):
        load(one, 16, 1)
        memory = resident(one)
    print(f"memory of one worker with its parent: {memory:.0f} MB")
    with running([two], port):
        load(two, 16, 1)
        photos = beside_photos(two, rounds, seconds)
        curve = {at: load(two, at, seconds) for at in (1, 2, 4, 8, 16, 32, 64, 100, 200, 400)}
        show_curve(curve)
        kept = {"bare": goodput(two, rounds, seconds)}
        if shutil.which("nginx"):
            with behind_nginx(two, port + 9) as proxy:
                kept["behind nginx"] = goodput(proxy, rounds, seconds)
    return {"start_seconds": start, "memory_mb": memory, "photos": photos, "curve": curve, "goodput": kept}


def start_seconds(contender: Contender, port: int) -> float:
    """Seconds from the command to the first correct answer."""
    begin = time.perf_counter()
    with running([contender], port):
        taken = time.perf_counter() - begin
        answer = contender.ask()
        assert answer is not None
        assert json.loads(answer)["digit"] == 7, "the model does not read a plain seven"
    return taken


def resident(contender: Contender) -> float:
    """Memory of the parent and its worker in MB; shared pages count once."""
    return sum(float(process.memory_full_info().pss) for process in processes(contender)) / 1e6


def beside_photos(contender: Contender, rounds: int, seconds: int) -> dict[str, float]:
    """p99 of drawings with and without a stream of 12-megapixel photos, measured in turns."""
    photo = Contender("photo", [], as_form(photo_of_seven()), port=contender.port)
    without, beside = [], []
    for _ in range(rounds):
        without.append(load(contender, 4, seconds)["p99"])
        with repeating(photo.ask):
            beside.append(load(contender, 4, seconds)["p99"])
    before, after = statistics.median(without), statistics.median(beside)
    print(f"p99 at 4 connections: {before:.1f} ms, with photos {after:.1f} ms ({after / before:.1f}x)")
    return {"without": before, "with": after}


def goodput(contender: Contender, rounds: int, seconds: int) -> float:
    """Throughput with 400 clients that retry immediately when refused, as a share of the peak."""
    rates: dict[int, list[float]] = {16: [], 64: [], 400: []}
    for _ in range(rounds):
        for at, found in rates.items():
            found.append(load(contender, at, seconds)["rate"])
            time.sleep(1.5)  # until the delayed busy responses have been sent
    flooded = statistics.median(rates.pop(400))
    share = flooded / max(statistics.median(found) for found in rates.values())
    print(f"{contender.name}: {flooded:,.0f} per second at 400 connections, {share:.0%} of the peak")
    return share


@contextmanager
def behind_nginx(contender: Contender, port: int) -> Iterator[Contender]:
    """The service behind nginx with the configuration of `docker compose`, with other addresses."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        yield from _nginx(contender, port, Path(folder))


def _nginx(contender: Contender, port: int, folder: Path) -> Iterator[Contender]:
    configuration = proxy_configuration(port, f"127.0.0.1:{contender.port}", folder)
    (folder / "nginx.conf").write_text(configuration)
    nginx = subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-g", "daemon off;"])
    proxy = Contender("service, 2 workers, behind nginx", [], contender.payload, port=port)
    try:
        proxy.wait(20)
        yield proxy
    finally:
        nginx.terminate()
        nginx.wait(10)


def proxy_configuration(port: int, service: str, folder: Path) -> str:
    """Compose's nginx configuration: listening on `port`, writing to `folder`, in front of `service`."""
    configuration = (ROOT / "containers" / "nginx.conf").read_text()
    for inside, here in (
        ("listen 3000", f"listen 127.0.0.1:{port}"),
        ("set $service service:3000", f"set $service {service}"),
        (" /tmp/", f" {folder}/"),
        ("/dev/stdout", str(folder / "log")),
    ):
        configuration = configuration.replace(inside, here)
    return configuration


def show_curve(curve: dict[int, dict[str, float]]) -> None:
    """The throughput curve as a Markdown table."""
    print("| connections | answers per second | refused | p50, ms | p99, ms |\n|---|---|---|---|---|")
    for at, row in curve.items():
        share = row["refused"] / max(row["requests"], 1)
        print(f"| {at} | {row['rate']:,.0f} | {share:.0%} | {row['p50']:.1f} | {row['p99']:.1f} |")
