"""The service under load, over HTTP: model changes, stops, kills, overload and large bodies."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image

from tests.service.crowd import SIZE, Crowd
from tests.service.hostile_pictures import ONLY_LARGE, SMALL

Serving = Callable[..., Any]


@pytest.fixture
def seven(draw: Callable[..., Image.Image], encoded: Callable[..., bytes]) -> bytes:
    return encoded(draw("7", (100, 100), 70))


class Load:
    """Clients that repeat requests on persistent connections."""

    def __init__(self, url: str, image: bytes) -> None:
        request = httpx.Request("POST", url + "/predict", files={"image": image})
        self._body = request.read()
        self._headers = {"Content-Type": request.headers["content-type"]}
        self._address = url.removeprefix("http://")
        self.statuses: Counter[int] = Counter()
        self.models: list[str] = []
        self.errors: list[str] = []
        self.seconds: list[float] = []
        self._stopped = threading.Event()

    @contextmanager
    def running(self, clients: int) -> Iterator[Load]:
        threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join(15)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        while not self._stopped.is_set():
            begin = time.perf_counter()
            try:
                connection.request("POST", "/predict", self._body, self._headers)
                response = connection.getresponse()
                text = response.read().decode()
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(type(error).__name__)
                connection.close()
                time.sleep(0.02)
                continue
            self.seconds.append(time.perf_counter() - begin)
            self.statuses[response.status] += 1
            self.models.append(text.rpartition('"model":"')[2].partition('"')[0])
        connection.close()


def workers(server: Any) -> list[psutil.Process]:
    """The worker processes, oldest first."""
    return sorted(psutil.Process(server.process.pid).children(), key=lambda process: process.create_time())


def serving_model(server: Any, model: str) -> int:
    """The number of workers that report this model."""
    for line in server.get("/metrics").text.splitlines():
        if line.startswith(f'digits_workers{{model="{model}"}}'):
            return int(float(line.split()[-1]))
    return 0


def everywhere(server: Any, model: str) -> Callable[[], bool]:
    """Whether both workers report this model."""
    return lambda: serving_model(server, model) == 2


def wait(check: Callable[[], bool], seconds: float) -> float:
    """Wait until the check holds, and return the seconds; fails after a timeout."""
    begin = time.monotonic()
    while not check():
        assert time.monotonic() - begin < seconds
        time.sleep(0.05)
    return time.monotonic() - begin


@pytest.mark.parametrize("last", [6, pytest.param(21, marks=pytest.mark.heavy)])
def test_a_new_champion_is_served_by_every_worker_without_an_error(
    last: int, tmp_path: Path, serving: Serving, promote: Callable[..., None], seven: bytes
) -> None:
    folder = tmp_path / "champion"
    promote(folder, "1")
    with serving(folder, tmp_path / "home", WORKERS="2", LOG_LEVEL="error") as server:
        wait(everywhere(server, "1"), 30)
        with Load(server.url, seven).running(4) as load:
            for version in range(2, last + 1):
                promote(folder, str(version))
                assert wait(everywhere(server, str(version)), 5) < 2
            (folder / "manifest.json").write_text("{")
            time.sleep(1)
        assert load.errors == []
        assert set(load.statuses) == {200}
        assert load.models[-1] == str(last), "a broken champion leaves the old one in service"
        assert set(load.models) >= {str(version) for version in range(2, last + 1)}
        refused = 'digits_model_loads_total{outcome="refused"} 2.0'
        wait(lambda: refused in server.get("/metrics").text, 5)


def test_sigterm_finishes_what_is_in_flight(
    tmp_path: Path, serving: Serving, promote: Callable[..., None], seven: bytes
) -> None:
    promote(tmp_path / "champion", "1")
    with serving(tmp_path / "champion", tmp_path / "home", LOG_LEVEL="error") as server:
        slow = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=15)
        slow.putrequest("POST", "/predict")
        slow.putheader("Content-Length", "1000000")
        slow.endheaders(b"a sender that never ends")
        with Load(server.url, seven).running(4) as load:
            time.sleep(0.5)
            begin = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(10)
        slow.close()
        assert time.monotonic() - begin < 10
        assert set(load.statuses) == {200}
        with pytest.raises(httpx.ConnectError):
            server.get("/livez")


def test_a_killed_worker_comes_back_and_the_others_go_on(
    tmp_path: Path, serving: Serving, promote: Callable[..., None], seven: bytes
) -> None:
    promote(tmp_path / "champion", "1")
    with serving(tmp_path / "champion", tmp_path / "home", WORKERS="2", LOG_LEVEL="error") as server:
        wait(everywhere(server, "1"), 30)
        victim = workers(server)[0].pid
        os.kill(victim, signal.SIGKILL)
        answers = [server.post("/predict", seven).status_code for _ in range(20)]
        assert answers == [200] * 20
        wait(everywhere(server, "1"), 30)
        assert victim not in {process.pid for process in workers(server)}


def test_a_flood_is_refused_a_second_later_and_the_rest_is_served(server: Any, seven: bytes) -> None:
    request = httpx.Request("POST", server.url + "/predict", files={"image": seven})
    body, kind = request.read(), request.headers["content-type"]
    clients = [http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10) for _ in range(300)]
    for client in clients:  # now they are accepted
        client.request("GET", "/livez")
        client.getresponse().read()
    (worker,) = workers(server)
    worker.suspend()  # so that all requests are there at once, however slowly this process sends them
    try:
        for client in clients:
            client.request("POST", "/predict", body, {"Content-Type": kind})
    finally:
        worker.resume()
    begin = time.monotonic()
    answers = [client.getresponse() for client in clients]
    assert 1 < time.monotonic() - begin < 15
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 128
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.getheader("retry-after") for answer in refused} == {"1"}
    for client in clients:
        client.close()
    assert server.post("/predict", seven).status_code == 200


def test_a_crowd_that_leaves_leaves_nothing_behind(server: Any, seven: bytes) -> None:
    """A thousand connections, idle, half sent and asking, end together (timed by benchmarks/endurance.py)."""
    request = httpx.Request("POST", server.url + "/predict", files={"image": seven})
    port = int(server.url.rpartition(":")[2])
    assert server.post("/predict", seven).status_code == 200
    (worker,) = workers(server)
    time.sleep(1)  # until earlier connections have left
    before = worker.num_fds()
    with Crowd(port, request.read(), request.headers["content-type"]):
        wait(lambda: worker.num_fds() > before + SIZE * 9 // 10, 20)  # the refused ones may have left
    begin = time.monotonic()
    answer = httpx.post(server.url + "/predict", files={"image": seven}, timeout=10, trust_env=False)
    assert (answer.status_code, answer.json()["digit"]) == (200, 7)
    assert time.monotonic() - begin < 10
    wait(lambda: worker.num_fds() <= before, 10)
    assert worker.pid == workers(server)[0].pid


def test_large_bodies_are_refused_while_reading(server: Any) -> None:
    (worker,) = workers(server)
    before = worker.memory_info().rss

    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'

    def chunks(peak: list[int]) -> Iterator[bytes]:
        yield head
        for _ in range(60):
            yield bytes(2**20)
            peak.append(worker.memory_info().rss)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for headers in (kind, kind | {"Content-Length": str(len(head) + 60 * 2**20)}):
        peak: list[int] = []
        begin = time.monotonic()
        answer = httpx.post(
            server.url + "/predict", content=chunks(peak), headers=headers, timeout=10, trust_env=False
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert time.monotonic() - begin < 5
        assert max(peak) - before < 40 * 2**20  # only 20 of 60 MB are accepted


def test_nothing_heavy_is_in_the_process(server: Any) -> None:
    (worker,) = workers(server)
    loaded = {Path(region.path).name for region in worker.memory_maps()}
    assert not [name for name in loaded if "tensorflow" in name or "h5" in name]
    resident = sum(process.memory_info().rss for process in (worker, psutil.Process(server.process.pid)))
    assert resident < 400 * 2**20, "benchmarks/serving.py measures it"


@pytest.mark.parametrize("each", [9, pytest.param(3, marks=pytest.mark.heavy)])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_hostile_pictures_do_not_disturb_the_others(
    each: int, tmp_path: Path, serving: Serving, promote: Callable[..., None], seven: bytes
) -> None:
    """With all the small pictures, and every ninth or third of the large ones."""
    promote(tmp_path / "champion", "1")
    hostile = [make(255 * 1024) for make in SMALL.values()]
    hostile += [make(19 * 2**20) for make in [*SMALL.values(), *ONLY_LARGE.values()][::each]]
    said: list[tuple[int, str]] = []

    def send(url: str, pictures: list[bytes]) -> None:
        for picture in pictures:
            answer = httpx.post(url + "/predict", files={"image": picture}, timeout=30, trust_env=False)
            said.append((answer.status_code, answer.json().get("code", "")))

    with serving(tmp_path / "champion", tmp_path / "home", WORKERS="2", LOG_LEVEL="error") as server:
        wait(everywhere(server, "1"), 30)
        memory = sum(worker.memory_info().rss for worker in workers(server))
        with Load(server.url, seven).running(6) as load:
            senders = [
                threading.Thread(target=send, args=(server.url, hostile[first::4])) for first in range(4)
            ]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join(120)
        assert len(said) == len(hostile)
        assert {status for status, _ in said} <= {200, 400, 413, 503}
        assert (413, "too_costly") in said
        assert load.errors == []
        assert set(load.statuses) == {200}
        assert max(load.seconds) < 3
        peak = sum(peak_memory(worker) for worker in workers(server)) - memory
        assert peak < 2**30, "for two workers; one picture once took four times as much"


def peak_memory(process: psutil.Process) -> int:
    """Peak memory of the process in bytes."""
    if sys.platform != "linux":
        pytest.skip("only Linux reports peak memory")
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
