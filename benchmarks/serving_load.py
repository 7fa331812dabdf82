"""Load on one server with wrk, and what it costs there."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import psutil
from PIL import Image, ImageDraw

from benchmarks.serving_contenders import ROOT, Contender

SCRIPT = ROOT / "benchmarks" / "serving_load.lua"


def load(contender: Contender, connections: int, seconds: float) -> dict[str, float]:
    """What wrk measures (latencies in ms), and the processor time that the server took (ms a request)."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT)]
    arguments = [contender.url, "--", str(contender.payload.file), contender.payload.kind]
    before = _processor_seconds(contender)
    done = subprocess.run(command + arguments, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    requests = max(measured["requests"], 1)
    measured["cpu"] = (_processor_seconds(contender) - before) / requests * 1000
    measured["rate"] = (measured["requests"] - measured["refused"]) / measured["seconds"]
    return measured


def medians(each: list[dict[str, float]]) -> dict[str, float]:
    """The median of every figure over rounds."""
    return {key: round(statistics.median(one[key] for one in each), 3) for key in each[0]}


def processes(contender: Contender) -> list[psutil.Process]:
    """The server's own process and all that it started."""
    assert contender.process is not None
    parent = psutil.Process(contender.process.pid)
    return [parent, *parent.children(recursive=True)]


def _processor_seconds(contender: Contender) -> float:
    if contender.process is None:
        return 0.0
    times = [process.cpu_times() for process in processes(contender)]
    return float(sum(time.user + time.system for time in times))


@contextmanager
def running(found: list[Contender], port: int) -> Iterator[None]:
    """All these servers, started at once, answering, and stopped in the end."""
    logs = Path(tempfile.mkdtemp(prefix="serving-"))
    try:
        for number, one in enumerate(found):
            one.start(port + number, logs / f"{one.name}.log")
        for one in found:
            one.wait()
        yield
    finally:
        for one in found:
            one.stop()


@contextmanager
def repeating(work: Callable[[], object]) -> Iterator[None]:
    """Do something again and again on a thread while the block runs."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def drawn_seven() -> bytes:
    """A 280x280 PNG as a drawing page sends it: made by `toDataURL` of a canvas in Chromium.

    What Pillow would write of such a picture takes twice as long to decode.
    """
    return (ROOT / "benchmarks" / "seven.png").read_bytes()


def photo_of_seven() -> bytes:
    """A 12-megapixel JPEG."""
    image = Image.effect_noise((4000, 3000), 12).point(lambda level: level + 60).convert("RGB")
    ImageDraw.Draw(image).line([(1400, 800), (2600, 800), (1900, 2300)], fill=(20, 20, 40), width=160)
    content = BytesIO()
    image.save(content, "JPEG", quality=90)
    return content.getvalue()
