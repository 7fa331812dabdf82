"""Background requests for the latest picture, for a program that must not block."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ui.client import Reading, ServiceBusy, ServiceError

Read = Callable[[bytes], Reading]
"""The bytes of a picture -> its reading; raises `ServiceError`."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 4.0
"""Seconds until a failed request is retried; doubled each time."""

_FINAL = (400, 404, 405, 413, 415, 422)  # statuses for which a retry would not help


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of request `number`, an answer or an error, and the seconds that it took."""

    number: int
    result: Reading | ServiceError
    seconds: float


class Latest:
    """Sends one request at a time in a thread of its own, in which it also calls `deliver`.

    A picture that waits is replaced by a newer one; failed requests are retried.
    """

    def __init__(self, read: Read, deliver: Callable[[Outcome], None]) -> None:
        self._read = read
        self._deliver = deliver
        self._changed = threading.Condition()
        self._picture: bytes | None = None
        self._number = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="latest", daemon=True)
        self._thread.start()

    def ask(self, picture: bytes) -> int:
        """Request the reading of a picture instead of any that waits; returns the request's number."""
        with self._changed:
            self._picture = picture
            self._number += 1
            self._changed.notify()
            return self._number

    def cancel(self) -> int:
        """Cancel the waiting request; returns a number that is newer than that of any answer to come."""
        with self._changed:
            self._picture = None
            self._number += 1
            self._changed.notify()
            return self._number

    def close(self) -> None:
        """End the thread after the current request."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=LONGEST_WAIT)

    def _work(self) -> None:
        failures = 0
        while (request := self._next()) is not None:
            outcome = self._answer(*request)
            self._deliver(outcome)
            if isinstance(outcome.result, ServiceError) and outcome.result.status not in _FINAL:
                self._retry(request, _wait(outcome.result, failures))
                failures += 1
            else:
                failures = 0

    def _next(self) -> tuple[int, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._picture is not None)
            if self._closed or self._picture is None:
                return None
            picture, self._picture = self._picture, None
            return self._number, picture

    def _answer(self, number: int, picture: bytes) -> Outcome:
        start = time.perf_counter()
        try:
            result: Reading | ServiceError = self._read(picture)
        except ServiceError as error:
            result = error
        return Outcome(number, result, time.perf_counter() - start)

    def _retry(self, request: tuple[int, bytes], seconds: float) -> None:
        """Queue the same request again after `seconds`, unless a newer one has replaced it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, timeout=seconds)
            number, picture = request
            if number == self._number:
                self._picture = picture


def _wait(error: ServiceError, failures: int) -> float:
    if isinstance(error, ServiceBusy):
        return min(error.retry_after, LONGEST_WAIT)
    return min(FIRST_WAIT * 2.0**failures, LONGEST_WAIT)
