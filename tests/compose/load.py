"""Concurrent clients that request predictions for a limited time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Self

import httpx
from PIL import Image, ImageDraw


def drawing() -> bytes:
    """A one, drawn with a thick pen."""
    picture = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(picture).line([(140, 50), (140, 230)], fill=0, width=20)
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


class Load:
    """A context in which `clients` send requests without a pause; `answers` counts the responses."""

    def __init__(self, url: str, clients: int = 6, seconds: float = 60) -> None:
        self.answers: Counter[str] = Counter()
        self._url = url
        self._clients = clients
        self._end = time.monotonic() + seconds  # at the latest
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self._clients)
        self._work = [self._pool.submit(self._ask) for _ in range(self._clients)]
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        for work in self._work:
            self.answers += work.result()

    def _ask(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        picture = drawing()
        with httpx.Client(base_url=self._url, timeout=20, trust_env=False) as client:
            while not self._stop.is_set() and time.monotonic() < self._end:
                try:
                    counted[str(client.post("/predict", files={"image": picture}).status_code)] += 1
                except httpx.HTTPError as error:
                    counted[repr(error)] += 1
        return counted
