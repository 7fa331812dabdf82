"""The endpoints that take pictures. The reading is done in `digits`."""

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
from service.endpoints.sent import form_of, picture_of
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
MAX_BATCH_PIXELS = 50_000_000
_QUERY = {
    "min_confidence": {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0,
        "description": f"For CSV: numbers less sure than that are followed by `{DOUBTFUL}`.",
    }
}
BATCH_SECONDS = 10.0  # after which the rest of a batch is refused


def predict(reader: Reader, picture: Opened) -> PredictAnswer:
    """Read one digit; raises `BadImage` where the pixels do not decode, as the others do."""
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
    """Read all digits; the tables that they stand in as CSV."""
    reading, _ = _read(reader, picture)
    return csv_of(reading, min_confidence)


def _read(reader: Reader, picture: Opened) -> tuple[Reading, int]:
    """The reading, counted, and how many times wider and higher the picture was sent than it was read."""
    with step("decode").time():
        pixels, times = loaded(picture)
    with _reading():
        reading, look = reader.read_and_look(pixels)
    for mark in reading.digits:
        count_answer(mark)
    TRAFFIC.add_reading(reader.model.manifest.sha256, reading, look, picture.width * picture.height)
    return reading, times


def uncounted_reading(reader: Reader, picture: Opened) -> Reading:
    """What the picture is read as, in no count of answers or of pictures."""
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
    """Times the reading; colours that do not fit together show only now."""
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
    """The limits that the pictures of one request share; raises `WrongField` for too many or none."""

    def __init__(self, pictures: int) -> None:
        if not 1 <= pictures <= MAX_BATCH:
            raise WrongField(
                f"The field `images` comes {pictures} times: send 1 to {MAX_BATCH} pictures in it."
            )
        self._pixels = 0

    def admit(self, picture: Opened) -> Opened:
        """The picture, if there is room for it; raises `TooManyPixels`."""
        self._pixels += picture.width * picture.height
        if self._pixels > MAX_BATCH_PIXELS:
            raise TooManyPixels("The batch has too many pixels: send fewer pictures.")
        return picture


def predict_batch(reader: Reader, files: Sequence[bytes]) -> BatchAnswer:
    """Read one digit in each picture, one after another."""
    batch = Batch(len(files))

    def each() -> Iterator[PredictAnswer | Problem]:
        for file in files:
            try:
                yield predict(reader, batch.admit(opened(file)))
            except Refusal as refusal:
                yield Problem.of(refusal)

    return BatchAnswer(answers=list(each()))


class Images:
    """Handlers over what one worker reads with."""

    def __init__(self, worker: Worker) -> None:
        self._champion = worker.champion
        self._queues = worker.queues
        self._as_json = self._answering(read, self._queues.side, as_json)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """A digit from a small, plain PNG is read where it arrives; all else, on a thread."""
        post = partial(Endpoint, "POST", tag=TAG, takes=("image",), refuses=(400, 408, 413, 415, 422, 503))
        many = partial(Endpoint, "POST", tag=TAG, takes=("images",), refuses=(400, 408, 413, 415, 422, 503))
        quick, side = self._queues.quick, self._queues.side
        return (
            post("/predict", self._answering(predict, quick, as_json), "Read one digit", PredictAnswer),
            post("/read", self._read, "Read all digits", ReadAnswer, also=CSV, query=_QUERY),
            post(
                "/explain",
                self._answering(explain, side, as_json),
                "Show what the network saw",
                ExplainAnswers,
            ),
            many("/predict_batch", self._predict_batch, "Read one digit in each picture", BatchAnswer),
        )

    async def _read(self, request: Request) -> Response:
        """JSON or, where `Accept` would rather have it, CSV."""
        if preferred(request.headers.getlist("accept"), (JSON, CSV)) == JSON:
            return await self._as_json(request)
        work = partial(read_as_csv, min_confidence=_min_confidence(request))
        return await self._answering(work, self._queues.side, as_csv)(request)

    def _answering(
        self, work: Work[T], queue: Queue, as_response: Callable[[T], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A handler that answers with `work`; `queue` is for small pictures."""

        async def handler(request: Request) -> Response:
            queue.admit()
            self._champion.reader()
            with Body(request) as body:
                pieces = (await form_of(request, body, b"image")).content(b"image", "one picture")
                picture, its_queue = await picture_of(pieces, queue, self._queues)
                return as_response(await its_queue.run(partial(self._do, work, picture)))

        return handler

    async def _predict_batch(self, request: Request) -> Response:
        """Each picture takes a turn of its own, so that a batch does not hold up the others."""
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
                    raise Busy("The batch takes too long right now: send the rest again.")
                picture, queue = await picture_of(pieces, self._queues.side, self._queues)
                batch.admit(picture)
                yield await queue.run(partial(self._do, predict, picture))
            except Refusal as refusal:
                yield Problem.of(refusal)

    def _do(self, work: Work[T], picture: Opened) -> T:
        """The work, with the reader that is in service when its turn comes."""
        return work(self._champion.reader(), picture)


def _min_confidence(request: Request) -> float:
    """That of the query, 0 where there is none; raises `WrongField`."""
    try:
        share = float(request.query_params.get("min_confidence", 0))
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise WrongField("`min_confidence` is a number from 0 to 1.")
    return share
