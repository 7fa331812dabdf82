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
                picture, lane = await self._opened(pieces, self._lanes.side)
                room -= picture.width * picture.height
                if room < 0:
                    raise TooLarge("The batch has too many pixels: send fewer pictures.", "too_many_pixels")
                yield await lane.run(partial(self._predict, picture))
            except Refusal as refusal:
                yield Problem.of(refusal)

    async def _answer(self, request: Request, lane: Lane, work: Callable[[Opened], T]) -> T:
        """What `work` answers to the picture of a request; refused early where that is known early."""
        lane.admit()
        self._champion.reader()
        with Body(request) as body:
            picture, lane = await self._opened((await _form(request, body, b"image")).content(), lane)
            return await lane.run(partial(work, picture))

    async def _opened(self, pieces: list[bytes], small: Lane) -> tuple[Opened, Lane]:
        """A picture of which only the header has been read, and its lane.

        That is `small` for few pixels in a small file. A large one is put together on a thread, and takes
        long: it may hold much that unpacks to nothing.
        """
        is_small = sum(map(len, pieces)) <= SMALL
        if is_small:
            picture = opened(b"".join(pieces))
        else:
            picture = await self._lanes.photos.run(lambda: opened(b"".join(pieces)))
        pixels = picture.width * picture.height
        if pixels > PHOTO_PIXELS:
            return picture, self._lanes.photos
        return picture, small if is_small and pixels <= QUICK_PIXELS else self._lanes.side

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


async def _form(request: Request, body: Body, name: bytes) -> Form:
    """The form that a request holds, read to its end."""
    form = Form(header(request.scope, b"content-type"), name)
    await body.pour(form.take)
    return form
