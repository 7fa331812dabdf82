"""Feedback endpoints: store pictures with the labels that people give them, if FEEDBACK_DIR is set."""

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
from service.endpoints.uploads import form_of, picture_of
from service.errors import FeedbackAway, FeedbackFull, FeedbackOff, ForeignOrigin, WrongField
from service.openapi import Endpoint
from service.pictures.decode import Opened
from service.pictures.upload import Body
from service.runtime.metrics import count_feedback
from service.runtime.worker import Worker

_logger = logging.getLogger("service")


class Feedback:
    """Request handlers that use one `Worker`; `store` is None if no feedback is stored.

    `origins`: origins of other web pages that may send feedback.
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
                "Store a picture with its correct label for training, if FEEDBACK_DIR is set",
                FeedbackKept,
                ("image", "label"),
                tag=TAG,
                refuses=(400, 403, 404, 408, 413, 415, 422, 503, 507),
            ),
            Endpoint(
                "GET",
                "/feedback",
                self._get,
                "The number of stored pictures; 404 if FEEDBACK_DIR is not set",
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
            raise _unavailable(error) from None
        return as_json(FeedbackState(kept=kept, most=store.limits.most))

    async def _post(self, request: Request) -> Response:
        """The picture is read again, so that the answer of the model in service is stored with it."""
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
                "This service does not store feedback. Set FEEDBACK_DIR to a folder and restart it."
            )
        return self._kept_in

    def _refuse_foreign(self, request: Request) -> None:
        """Prevent CSRF: any web page could otherwise submit forms through the browser of the operator."""
        origin = request.headers.get("origin", "")
        if not let_in(origin, request.headers.get("host", ""), self._origins):
            raise ForeignOrigin(
                f"Feedback from `{origin[:100]}` is not allowed. Add it to CORS_ORIGINS and restart the"
                " service."
            )

    def _read(self, picture: Opened) -> Reading:
        """The answer of the model in service, without counting it in the metrics a second time."""
        reader: Reader = self._champion.reader()
        return uncounted_reading(reader, picture)


def _label(content: bytes) -> str:
    try:
        return label_of(content.decode("utf-8", "replace"))
    except BadLabel as error:
        raise WrongField(str(error)) from None


def _keep(store: Store, pieces: list[bytes], label: str, reading: Reading) -> str:
    """Write the feedback to disk, count whether the model was right, and return the id."""
    try:
        sha256 = store.keep(b"".join(pieces), label, reading.text, _confidence(reading), reading.model)
    except Full as error:
        raise FeedbackFull(str(error)) from None
    except Unusable as error:
        raise _unavailable(error) from None
    found_none = not any(character.isdigit() for character in reading.text)
    count_feedback(right=found_none if label == NOT_A_DIGIT else reading.text == label)
    return sha256


def _confidence(reading: Reading) -> float | None:
    """The lowest confidence of a number; None if there are no numbers or a mark is rejected."""
    sure = [number.confidence for number in reading.numbers if number.confidence is not None]
    return min(sure) if sure and len(sure) == len(reading.numbers) else None


def _unavailable(error: Unusable) -> FeedbackAway:
    """The error for the client. The folder's path is only logged, because the client need not know it."""
    _logger.error("Feedback cannot be stored", extra={"reason": str(error)})
    return FeedbackAway("The feedback folder cannot be used right now. The service log has the reason.")
