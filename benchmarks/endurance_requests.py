"""The requests of `benchmarks/endurance.py`: all kinds of pictures, other files, and clients that hang up."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.serving_contenders import ROOT
from pipeline.synthesis.papers import KINDS, make
from pipeline.synthesis.writers import PenWriter

EXAMPLES = ROOT / "ui" / "canvas" / "examples"
SEED = 2026
BUSY = 503  # also right for any request, because all queues may be full
BOUNDARY = "----endurance"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
TIMEOUT = 60.0  # seconds

# Per thousand requests. Papers and photos cost about fifty times as much as a drawing.
SHARES = {
    "drawing": 640,
    "number": 100,
    "other format": 20,
    "damaged": 60,
    "hang up": 50,
    "wrong type": 40,
    "feedback": 30,
    "health": 30,
    "metrics": 10,
    "explanation": 5,
    "batch": 5,
    "paper": 8,
    "photo": 2,
}


class Request(NamedTuple):
    """One request; `right` decides whether a status and a body are the expected answer."""

    kind: str
    path: str
    right: Callable[[int, bytes], bool]
    body: bytes = b""
    type: str = FORM
    hang_up_after: float | None = None  # share of the body that is sent before the client hangs up


class Answer(NamedTuple):
    """The answer to a request, and the seconds that it took; the status is 0 if there was none."""

    kind: str
    status: int
    right: bool
    seconds: float


def form(pictures: list[bytes], name: str = "image", label: str = "") -> bytes:
    """A multipart form with these pictures, and with the label if there is one."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'.encode() + one
        for one in pictures
    ]
    if label:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="label"\r\n\r\n{label}'
        parts.append(head.encode())
    return b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


def encoded(image: Image.Image, kind: str, **options: bool | str) -> bytes:
    """The file's bytes."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@dataclass(frozen=True)
class Pictures:
    """The files to send, made once."""

    drawings: list[bytes]
    number: bytes
    formats: list[bytes]
    papers: list[bytes]
    photos: list[bytes]

    @classmethod
    def made(cls) -> Pictures:
        """The page's examples, a paper of each kind, and photos of a table and of a page."""
        rng = np.random.default_rng(SEED)
        papers = [make(kind, PenWriter(rng), rng)[1] for kind in KINDS]
        photos = [make(kind, PenWriter(rng), rng, photo=True, large=True)[1] for kind in ("table", "page")]
        with Image.open(EXAMPLES / "number.png") as file:
            number = file.convert("L")
        return cls(
            [(EXAMPLES / f"{digit}.png").read_bytes() for digit in range(10)],
            (EXAMPLES / "number.png").read_bytes(),
            [encoded(number, kind) for kind in ("JPEG", "WEBP", "GIF", "TIFF", "BMP")]
            + [encoded(number, "JPEG", progressive=True), encoded(number, "TIFF", compression="jpeg")],
            [encoded(paper, "PNG") for paper in papers],
            [encoded(photo, "JPEG") for photo in photos],
        )

    def request(self, number: int) -> Request:
        """The request with this number, which is the same in every run."""
        rng = random.Random(SEED + number)
        (kind,) = rng.choices([*SHARES], [*SHARES.values()])
        digit = rng.randrange(10)
        drawing = self.drawings[digit]
        match kind:
            case "drawing":
                return Request(kind, "/predict", _says("digit", digit), form([drawing]))
            case "number":
                return Request(kind, "/read", _has(200), form([self.number]))
            case "other format":
                return Request(kind, "/read", _has(200), form([rng.choice(self.formats)]))
            case "damaged":
                spoilt = drawing[: rng.randrange(1, len(drawing) // 2)]  # its last bytes hold no pixels
                return Request(kind, "/predict", _has(400, 413), form([spoilt]))
            case "hang up":
                body = form([rng.choice([drawing, self.number, *self.papers])])
                return Request(kind, "/read", _has(0), body, hang_up_after=rng.choice([0.0, 0.5, 1.0]))
            case "wrong type":
                return rng.choice(
                    [
                        Request(kind, "/predict", _has(415), form([b"%PDF-1.4 " + drawing])),
                        Request(kind, "/predict", _has(422), drawing, "image/png"),
                        Request(kind, "/read", _has(405)),
                    ]
                )
            case "feedback":
                one = form([_own(drawing, number)], label=str(digit))
                return Request(kind, "/feedback", _has(200, 507), one)
            case "health":
                return Request(kind, rng.choice(["/healthz", "/readyz"]), _has(200))
            case "metrics":
                return Request(kind, "/metrics", _has(200))
            case "explanation":
                return Request(kind, "/explain", _has(200), form([drawing]))
            case "batch":
                return Request(kind, "/predict_batch", _has(200), form(self.drawings, "images"))
            case "paper":
                return Request(kind, "/read", _has(200), form([rng.choice(self.papers)]))
        return Request(kind, "/read", _has(200), form([rng.choice(self.photos)]))


def _has(*statuses: int) -> Callable[[int, bytes], bool]:
    return lambda status, _body: status in statuses


def _says(name: str, value: object) -> Callable[[int, bytes], bool]:
    return lambda status, body: status == 200 and json.loads(body)[name] == value


def _own(drawing: bytes, number: int) -> bytes:
    """The drawing with two pixels that depend on `number`, because identical feedback is stored only once."""
    with Image.open(BytesIO(drawing)) as picture:
        image = picture.convert("RGB")
    image.putpixel((0, 0), (255, 255 - number % 16, 255 - number // 16 % 16))
    image.putpixel((1, 0), (255, 255 - number // 256 % 16, 255 - number // 4096 % 16))
    return encoded(image, "PNG")


class Clients:
    """Clients of one server, one per thread, each with a connection that stays open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def ask(self, request: Request) -> Answer:
        """Send a request and wait for its answer; the status is 0 if there is none."""
        begin = time.perf_counter()
        if request.hang_up_after is not None:
            self._hang_up(request, request.hang_up_after)
            return Answer(request.kind, 0, True, time.perf_counter() - begin)
        connection = self._connection()
        try:
            method = "POST" if request.body else "GET"
            headers = {"Content-Type": request.type} if request.body else {}
            connection.request(method, request.path, request.body or None, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return Answer(request.kind, 0, False, time.perf_counter() - begin)
        right = response.status == BUSY or request.right(response.status, content)
        return Answer(request.kind, response.status, right, time.perf_counter() - begin)

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
            self._all.append(self._own.connection)
        connection: http.client.HTTPConnection = self._own.connection
        return connection

    def _hang_up(self, request: Request, share: float) -> None:
        """Send the header and a share of the body, and close the connection without reading the answer."""
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: {request.type}\r\nContent-Length: {len(request.body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self._port), TIMEOUT) as client:
            client.sendall(head.encode() + request.body[: int(share * len(request.body))])
