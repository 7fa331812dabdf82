"""What people say that a picture really shows: kept in FEEDBACK_DIR, where that is set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from addresses.origins import let_in
from digits import Reader, Reading
from feedback.errors import BadLabel, Full, Unusable
from feedback.labels import NOT_A_DIGIT, label_of
from feedback.store import Store
from service.answers import FeedbackKept, FeedbackState, as_json
from service.endpoints.images import TAG, uncounted_reading
from service.endpoints.sent import form_of, picture_of
from service.errors import FeedbackAway, FeedbackFull, FeedbackOff, ForeignOrigin, WrongField
from service.openapi import Endpoint
from service.pictures.decode import Opened
from service.pictures.upload import Body
from service.runtime.metrics import count_feedback
from service.runtime.worker import Worker

_logger = logging.getLogger("service")


class Feedback:
    """Handlers over what one worker reads with; `store` is None where no feedback is kept.

    `origins` are those of web pages elsewhere that may send feedback.
    """

    def __init__(self, worker: Worker, store: Store | None, origins: Collection[str]) -> None:
        self._champion = worker.champion
        self._queues = worker.queues
        self._kept_in = store
        self._origins = [origin.lower() for origin in origins]

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint(
                "POST",
                "/feedback",
                self._post,
                "Say what a picture shows: kept for learning, where FEEDBACK_DIR is set",
                FeedbackKept,
                ("image", "label"),
                tag=TAG,
                refuses=(400, 403, 404, 408, 413, 415, 422, 503, 507),
            ),
            Endpoint(
                "GET",
                "/feedback",
                self._get,
                "How many pictures are kept; 404 where FEEDBACK_DIR is not set",
                FeedbackState,
                tag=TAG,
                refuses=(404, 503),
            ),
        )

    async def _get(self, _request: Request) -> Response:
        store = self._store()
        try:
            kept = await asyncio.to_thread(store.count)
        except Unusable as error:
            raise _away(error) from None
        return as_json(FeedbackState(kept=kept, most=store.limits.most))

    async def _post(self, request: Request) -> Response:
        """The picture is read again, so that what the model in service answers is kept beside it."""
        store = self._store()
        self._refuse_foreign(request)
        self._queues.feedback.admit()
        self._queues.side.admit()
        self._champion.reader()
        with Body(request) as body:
            form = await form_of(request, body, b"image", b"label")
            pieces = form.content(b"image", "one picture")
            label = _label(b"".join(form.content(b"label", "what the picture shows")))
            picture, queue = await picture_of(pieces, self._queues.side, self._queues)
            reading = await queue.run(partial(self._read, picture))
            keep = partial(_keep, store, pieces, label, reading)
            return as_json(FeedbackKept(id=await self._queues.feedback.run(keep)))

    def _store(self) -> Store:
        if self._kept_in is None:
            raise FeedbackOff(
                "This server keeps no feedback: set FEEDBACK_DIR to a folder and start it anew."
            )
        return self._kept_in

    def _refuse_foreign(self, request: Request) -> None:
        """Any web page could else send forms here through the browser of whoever runs this."""
        origin = request.headers.get("origin", "")
        if not let_in(origin, request.headers.get("host", ""), self._origins):
            raise ForeignOrigin(
                f"The page at `{origin[:100]}` may not send feedback here: add it to CORS_ORIGINS and start"
                " the service anew."
            )

    def _read(self, picture: Opened) -> Reading:
        """What the model in service answers; not counted among the answers, where it has been already."""
        reader: Reader = self._champion.reader()
        return uncounted_reading(reader, picture)


def _label(content: bytes) -> str:
    try:
        return label_of(content.decode("utf-8", "replace"))
    except BadLabel as error:
        raise WrongField(str(error)) from None


def _keep(store: Store, pieces: list[bytes], label: str, reading: Reading) -> str:
    """Write it all to the disk, and count whether the model was right; gives the id."""
    try:
        sha256 = store.keep(b"".join(pieces), label, reading.text, _confidence(reading), reading.model)
    except Full as error:
        raise FeedbackFull(str(error)) from None
    except Unusable as error:
        raise _away(error) from None
    no_digit = not any(character.isdigit() for character in reading.text)
    count_feedback(right=no_digit if label == NOT_A_DIGIT else reading.text == label)
    return sha256


def _confidence(reading: Reading) -> float | None:
    """That of the least sure number; None where there is none, or a mark is rejected."""
    sure = [number.confidence for number in reading.numbers if number.confidence is not None]
    return min(sure) if sure and len(sure) == len(reading.numbers) else None


def _away(error: Unusable) -> FeedbackAway:
    """The log says which folder it is, and the client need not know."""
    _logger.error("No feedback can be kept", extra={"reason": str(error)})
    return FeedbackAway("The folder for feedback cannot be used right now: the log says why.")
