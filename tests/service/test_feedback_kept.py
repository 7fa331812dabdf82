"""Feedback over HTTP with several workers: each picture is stored once, and no acknowledged one is lost."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from feedback.store import Store

Serving = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def pictures(draw: Callable[..., Any], encoded: Callable[..., bytes]) -> list[bytes]:
    """Different pictures of sevens."""
    return [encoded(draw("7", (200 + k, 200), 100 + k)) for k in range(60)]


def say(url: str, picture: bytes, label: str) -> httpx.Response:
    return httpx.post(
        f"{url}/feedback", files={"image": picture}, data={"label": label}, timeout=30, trust_env=False
    )


def test_workers_keep_the_same_pictures_once_and_no_more_than_the_limit(
    tmp_path: Path, serving: Serving, promote: Callable[..., None], pictures: list[bytes]
) -> None:
    promote(tmp_path / "champion", "1")
    folder = tmp_path / "kept" / "feedback"
    settings = {"WORKERS": "2", "LOG_LEVEL": "error", "FEEDBACK_DIR": str(folder), "FEEDBACK_MOST": "25"}
    with serving(tmp_path / "champion", tmp_path / "home", **settings) as server:
        assert server.get("/feedback").json() == {"kept": 0, "most": 25}
        sent = [(picture, label) for picture in pictures[:20] for label in ("1", "4", "1")]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: say(server.url, *one), sent))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["id"] for answer in answers} == {
            hashlib.sha256(picture).hexdigest() for picture, _ in sent
        }
        assert server.get("/feedback").json()["kept"] == 20
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: say(server.url, one, "1"), pictures[20:40]))
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [507] * 15
    store = Store(folder)
    assert len(store.kept()) == 25
    assert store.damaged() == []
    assert len(list(folder.glob("*.png"))) == 25


def test_what_was_acknowledged_outlives_kill_9(
    tmp_path: Path, serving: Serving, promote: Callable[..., None], pictures: list[bytes]
) -> None:
    """Workers are killed while clients send, then the whole service; the next start removes leftovers."""
    promote(tmp_path / "champion", "1")
    folder = tmp_path / "feedback"
    acknowledged: set[str] = set()
    settings = {"WORKERS": "2", "LOG_LEVEL": "error", "FEEDBACK_DIR": str(folder)}
    with serving(tmp_path / "champion", tmp_path / "home", **settings) as server:
        stopped = threading.Event()

        def send(mine: list[bytes]) -> None:
            for picture in mine:
                if stopped.is_set():
                    return
                with contextlib.suppress(httpx.TransportError):
                    answer = say(server.url, picture, "1")
                    if answer.status_code == 200:
                        acknowledged.add(answer.json()["id"])

        senders = [threading.Thread(target=send, args=(pictures[first::4],)) for first in range(4)]
        for sender in senders:
            sender.start()
        while len(acknowledged) < 5:
            stopped.wait(0.01)
        everyone = [*psutil.Process(server.process.pid).children(), psutil.Process(server.process.pid)]
        os.kill(everyone[0].pid, signal.SIGKILL)
        while len(acknowledged) < 15:
            stopped.wait(0.01)
        for process in everyone:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        stopped.set()
        for sender in senders:
            sender.join(60)
    (folder / f"{'0' * 64}.png").write_bytes(b"half a picture")
    kept = {one.id: one for one in Store(folder).kept()}
    assert acknowledged <= set(kept)
    with serving(tmp_path / "champion", tmp_path / "home", **settings) as server:
        assert server.get("/feedback").json()["kept"] == len(kept)
    for id, one in kept.items():
        assert hashlib.sha256(one.picture(folder).read_bytes()).hexdigest() == id
    assert {path.stem for path in folder.glob("*.png")} == set(kept)
    assert Store(folder).damaged() == []
