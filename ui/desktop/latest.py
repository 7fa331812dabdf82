"""Questions to the service from a program that must not wait: the newest counts, older ones are dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ui.client import Reading, ServiceBusy, ServiceError

Read = Callable[[bytes], Reading]
"""The bytes of a picture -> what it says; raises `ServiceError`."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 4.0
"""Seconds until the same question is asked again after a failure; doubled each time."""

_FINAL = (400, 404, 405, 413, 415, 422)  # asking again would not help


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of question `number`: an answer with the seconds that it took, or a failure."""

    number: int
    result: Reading | ServiceError
    seconds: float


class Latest:
    """Asks in a thread of its own, one question at a time; `deliver` is called in that thread."""

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
        """Ask about a picture in place of any that waits; gives the question's number."""
        with self._changed:
            self._picture = picture
            self._number += 1
            self._changed.notify()
            return self._number

    def forget(self) -> int:
        """Ask nothing any more; an answer that is on its way has an older number than the one given."""
        with self._changed:
            self._picture = None
            self._number += 1
            self._changed.notify()
            return self._number

    def close(self) -> None:
        """End the thread, after the question that it has just asked."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=LONGEST_WAIT)

    def _work(self) -> None:
        failures = 0
        while (question := self._next()) is not None:
            outcome = self._answer(*question)
            self._deliver(outcome)
            if isinstance(outcome.result, ServiceError) and outcome.result.status not in _FINAL:
                self._again(question, _wait(outcome.result, failures))
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

    def _again(self, question: tuple[int, bytes], seconds: float) -> None:
        """After a wait the same question comes again, unless a newer one has replaced it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, timeout=seconds)
            number, picture = question
            if number == self._number:
                self._picture = picture


def _wait(error: ServiceError, failures: int) -> float:
    if isinstance(error, ServiceBusy):
        return min(error.retry_after, LONGEST_WAIT)
    return min(FIRST_WAIT * 2.0**failures, LONGEST_WAIT)
