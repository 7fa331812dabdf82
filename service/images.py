"""The endpoints that take pictures. Adapters: the reading is done in `digits`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from service.answers import BatchAnswer, ExplainAnswer, ExplainAnswers, PredictAnswer, ReadAnswer
from service.champion import Champion
from service.decode import Opened, loaded, opened
from service.endpoint import json_answer
from service.errors import Problem, Refusal, TooLarge, WrongField
from service.form import Form
from service.lanes import Lane, Lanes
from service.metrics import count_answer, reading, timed
from service.upload import SMALL, Body, header

T = TypeVar("T", bound=BaseModel)

QUICK_PIXELS = 512 * 512  # more hold up the event loop for too long
PHOTO_PIXELS = 2_000_000
MAX_BATCH = 64  # pictures
MAX_BATCH_PIXELS = 50_000_000


class Images:
    """Handlers over one champion and one worker's lanes."""

    def __init__(self, champion: Champion, lanes: Lanes) -> None:
        self._champion = champion
        self._lanes = lanes

    async def predict(self, request: Request) -> Response:
        """A digit from a small picture is read where it arrives."""
        return json_answer(await self._answer(request, self._lanes.quick, self._predict))

    async def read(self, request: Request) -> Response:
        """On a thread: many digits take long."""
        return json_answer(await self._answer(request, self._lanes.side, self._read))

    async def explain(self, request: Request) -> Response:
        """On a thread: saliency asks the network many times."""
        return json_answer(await self._answer(request, self._lanes.side, self._explain))

    async def predict_batch(self, request: Request) -> Response:
        """Each picture takes a turn of its own, so that a batch does not hold up the others."""
        self._lanes.side.admit()
        self._champion.reader()
        with Body(request) as body:
            pictures = (await _form(request, body, b"images")).contents()
            if not 1 <= len(pictures) <= MAX_BATCH:
                times = len(pictures)
                raise WrongField(
                    f"The field `images` comes {times} times: send 1 to {MAX_BATCH} pictures in it."
                )
            return json_answer(BatchAnswer(answers=[answer async for answer in self._each(pictures)]))

    async def _each(self, pictures: list[list[bytes]]) -> AsyncIterator[PredictAnswer | Problem]:
        room = MAX_BATCH_PIXELS
        for pieces in pictures:
            try:
                picture = await self._opened(pieces)
                room -= picture.width * picture.height
                if room < 0:
                    raise TooLarge("The batch has too many pixels: send fewer pictures.", "too_many_pixels")
                lane = self._lane(picture, pieces, self._lanes.side)
                yield await lane.run(partial(self._predict, picture))
            except Refusal as refusal:
                yield Problem.of(refusal)

    async def _answer(self, request: Request, lane: Lane, work: Callable[[Opened], T]) -> T:
        """What `work` answers to the picture of a request; refused early where that is known early."""
        lane.admit()
        self._champion.reader()
        with Body(request) as body:
            pieces = (await _form(request, body, b"image")).content()
            picture = await self._opened(pieces)
            return await self._lane(picture, pieces, lane).run(partial(work, picture))

    async def _opened(self, pieces: list[bytes]) -> Opened:
        """A picture of which only the header has been read; a large file is put together on a thread."""
        if _length(pieces) <= SMALL:
            return opened(b"".join(pieces))
        return await self._lanes.photos.run(lambda: opened(b"".join(pieces)))

    def _lane(self, picture: Opened, pieces: list[bytes], small: Lane) -> Lane:
        """The lane for a picture of this size; `small` where it is small, and its file too.

        Few pixels in a large file take long: there may be much in it that unpacks to nothing.
        """
        pixels = picture.width * picture.height
        if pixels > PHOTO_PIXELS:
            return self._lanes.photos
        return self._lanes.side if pixels > QUICK_PIXELS or _length(pieces) > SMALL else small

    def _predict(self, picture: Opened) -> PredictAnswer:
        with timed("decode"):
            pixels, _ = loaded(picture)
        with reading():
            prediction = self._champion.reader().predict(pixels)
        count_answer(prediction)
        return PredictAnswer.of(prediction)

    def _read(self, picture: Opened) -> ReadAnswer:
        with timed("decode"):
            pixels, times = loaded(picture)
        with reading():
            found = self._champion.reader().read(pixels)
        for mark in found.digits:
            count_answer(mark)
        return ReadAnswer.of(found, times)

    def _explain(self, picture: Opened) -> ExplainAnswers:
        with timed("decode"):
            pixels, times = loaded(picture)
        with reading():
            marks = self._champion.reader().explain(pixels)
        return ExplainAnswers([ExplainAnswer.of(mark, times) for mark in marks])


def _length(pieces: list[bytes]) -> int:
    """Bytes of a file that arrived in pieces."""
    return sum(map(len, pieces))


async def _form(request: Request, body: Body, name: bytes) -> Form:
    """The form that a request holds, read to its end."""
    form = Form(header(request.scope, b"content-type"), name)
    await body.pour(form.take)
    return form
