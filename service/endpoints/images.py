"""The endpoints that read pictures. The reading is done in `digits`."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from digits import ImageError, Reader, Reading
from digits.output.spreadsheet import DOUBTFUL, csv_of
from service.answers import (
    CSV,
    JSON,
    MAX_BATCH,
    BatchAnswer,
    ExplainAnswer,
    ExplainAnswers,
    PredictAnswer,
    ReadAnswer,
    as_csv,
    as_json,
)
from service.endpoints.accept import preferred
from service.endpoints.uploads import form_of, picture_of
from service.errors import BadImage, Busy, Problem, Refusal, TooManyPixels, WrongField
from service.openapi import Endpoint
from service.pictures.decode import Opened, loaded, opened
from service.pictures.upload import Body
from service.runtime.metrics import count_answer, step
from service.runtime.queues import Queue
from service.runtime.traffic import TRAFFIC
from service.runtime.worker import Worker

T = TypeVar("T")
Work = Callable[[Reader, Opened], T]

TAG = "Pictures"
_REFUSES = (400, 408, 413, 415, 422, 503)  # statuses of the error responses
MAX_BATCH_PIXELS = 50_000_000
_QUERY = {
    "min_confidence": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0,
        "description": f"CSV only: numbers with a lower confidence are followed by `{DOUBTFUL}`.",
    }
}
BATCH_SECONDS = 10.0  # then the rest of a batch is refused


def predict(reader: Reader, picture: Opened) -> PredictAnswer:
    """Read one digit; raises `BadImage` if the pixels cannot be decoded, as do the functions below."""
    with step("decode").time():
        pixels, _ = loaded(picture)
    with _reading():
        prediction, look = reader.predict_and_look(pixels)
    count_answer(prediction)
    TRAFFIC.add_prediction(reader.model.manifest.sha256, prediction, look, picture.width * picture.height)
    return PredictAnswer.model_validate(prediction)


def read(reader: Reader, picture: Opened) -> ReadAnswer:
    """Read all digits."""
    reading, times = _read(reader, picture)
    return ReadAnswer.of(reading, times)


def read_as_csv(reader: Reader, picture: Opened, min_confidence: float) -> str:
    """Read all digits and return the tables as CSV."""
    reading, _ = _read(reader, picture)
    return csv_of(reading, min_confidence)


def _read(reader: Reader, picture: Opened) -> tuple[Reading, int]:
    """Read a picture and count the answers.

    Also returns the factor by which the picture sent is wider and higher than the picture read.
    """
    with step("decode").time():
        pixels, times = loaded(picture)
    with _reading():
        reading, look = reader.read_and_look(pixels)
    for mark in reading.digits:
        count_answer(mark)
    TRAFFIC.add_reading(reader.model.manifest.sha256, reading, look, picture.width * picture.height)
    return reading, times


def uncounted_reading(reader: Reader, picture: Opened) -> Reading:
    """Read a picture without counting the answers or the picture."""
    with step("decode").time():
        pixels, _ = loaded(picture)
    with _reading():
        return reader.read(pixels)


def explain(reader: Reader, picture: Opened) -> ExplainAnswers:
    """Show what the network saw of every mark."""
    with step("decode").time():
        pixels, times = loaded(picture)
    with _reading():
        explanations = reader.explain(pixels)
    return ExplainAnswers([ExplainAnswer.of(each, _as_png(each.seen), times) for each in explanations])


@contextmanager
def _reading() -> Iterator[None]:
    """Measure the time of reading; turn an error in the colours, which shows only now, into `BadImage`."""
    with step("read").time():
        try:
            yield
        except ImageError as error:
            raise BadImage(str(error)) from error


def _as_png(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return b64encode(file.getvalue()).decode()


class Batch:
    """The limits that the pictures of one request share; raises `WrongField` for none or too many."""

    def __init__(self, pictures: int) -> None:
        if not 1 <= pictures <= MAX_BATCH:
            raise WrongField(f"The field `images` occurs {pictures} times. Send 1 to {MAX_BATCH} pictures.")
        self._pixels = 0

    def admit(self, picture: Opened) -> Opened:
        """Return the picture if its pixels fit into the batch; raises `TooManyPixels` otherwise."""
        self._pixels += picture.width * picture.height
        if self._pixels > MAX_BATCH_PIXELS:
            raise TooManyPixels(
                "The pictures of this batch have too many pixels in total. Send fewer pictures."
            )
        return picture


def predict_batch(reader: Reader, files: Sequence[bytes]) -> BatchAnswer:
    """Read one digit in each picture, one after another."""
    batch = Batch(len(files))

    def answers() -> Iterator[PredictAnswer | Problem]:
        for file in files:
            try:
                yield predict(reader, batch.admit(opened(file)))
            except Refusal as refusal:
                yield Problem.of(refusal)

    return BatchAnswer(answers=list(answers()))


class Images:
    """Request handlers that use one `Worker`."""

    def __init__(self, worker: Worker) -> None:
        self._champion = worker.champion
        self._queues = worker.queues
        self._as_json = self._answering(read, self._queues.side, as_json)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Small plain PNGs of one digit are read on the event loop, all other pictures on a thread."""
        return (
            Endpoint(
                "POST",
                "/predict",
                self._answering(predict, self._queues.quick, as_json),
                "Read one digit",
                PredictAnswer,
                takes=("image",),
                tag=TAG,
                refuses=_REFUSES,
            ),
            Endpoint(
                "POST",
                "/read",
                self._read,
                "Read all digits",
                ReadAnswer,
                takes=("image",),
                tag=TAG,
                also=CSV,
                query=_QUERY,
                refuses=_REFUSES,
            ),
            Endpoint(
                "POST",
                "/explain",
                self._answering(explain, self._queues.side, as_json),
                "Show what the network saw",
                ExplainAnswers,
                takes=("image",),
                tag=TAG,
                refuses=_REFUSES,
            ),
            Endpoint(
                "POST",
                "/predict_batch",
                self._predict_batch,
                "Read one digit in each picture",
                BatchAnswer,
                takes=("images",),
                tag=TAG,
                refuses=_REFUSES,
            ),
        )

    async def _read(self, request: Request) -> Response:
        """Answer in JSON, or in CSV if `Accept` prefers it."""
        if preferred(request.headers.getlist("accept"), (JSON, CSV)) == JSON:
            return await self._as_json(request)
        work = partial(read_as_csv, min_confidence=_min_confidence(request))
        return await self._answering(work, self._queues.side, as_csv)(request)

    def _answering(
        self, work: Work[T], queue: Queue, as_response: Callable[[T], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A request handler that answers with the result of `work`; small pictures wait in `queue`."""

        async def handler(request: Request) -> Response:
            queue.admit()
            self._champion.reader()
            with Body(request) as body:
                pieces = (await form_of(request, body, b"image")).content(b"image", "one picture")
                picture, its_queue = await picture_of(pieces, queue, self._queues)
                return as_response(await its_queue.run(partial(self._do, work, picture)))

        return handler

    async def _predict_batch(self, request: Request) -> Response:
        """Each picture is queued separately, so that a batch does not block other requests."""
        self._queues.side.admit()
        self._champion.reader()
        with Body(request) as body:
            files = (await form_of(request, body, b"images")).contents(b"images")
            return as_json(BatchAnswer(answers=[answer async for answer in self._each(files)]))

    async def _each(self, files: list[list[bytes]]) -> AsyncIterator[PredictAnswer | Problem]:
        batch = Batch(len(files))
        end = time.monotonic() + BATCH_SECONDS
        for pieces in files:
            try:
                if time.monotonic() > end:
                    raise Busy("This picture was not read, because the batch ran out of time. Send it again.")
                picture, queue = await picture_of(pieces, self._queues.side, self._queues)
                batch.admit(picture)
                yield await queue.run(partial(self._do, predict, picture))
            except Refusal as refusal:
                yield Problem.of(refusal)

    def _do(self, work: Work[T], picture: Opened) -> T:
        """Run `work` with the reader that is in service at this moment."""
        return work(self._champion.reader(), picture)


def _min_confidence(request: Request) -> float:
    """The query parameter `min_confidence`, 0 if it is missing; raises `WrongField`."""
    try:
        share = float(request.query_params.get("min_confidence", 0))
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise WrongField("`min_confidence` must be a number from 0 to 1.")
    return share
