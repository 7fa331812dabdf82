"""The latest picture wins: requests that are sent, dropped and retried."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from ui.client import Reading, ServiceAway, ServiceBusy, ServiceError
from ui.desktop import latest
from ui.desktop.latest import Latest, Outcome

AWAY = ServiceAway("Nobody is there.", "service_away")


class Service:
    """Answers with the picture's own text when the test allows it, after a given number of failures."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.open = threading.Event()
        self.open.set()
        self.failures: list[ServiceError] = []

    def read(self, picture: bytes) -> Reading:
        self.asked.append(picture)
        assert self.open.wait(5)
        if self.failures:
            raise self.failures.pop()
        return Reading(picture.decode(), (), (), "1")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(latest, "FIRST_WAIT", 0.01)
    return Service()


@pytest.fixture
def outcomes() -> queue.Queue[Outcome]:
    return queue.Queue()


@pytest.fixture
def asker(service: Service, outcomes: queue.Queue[Outcome]) -> Iterator[Latest]:
    asker = Latest(service.read, outcomes.put)
    yield asker
    service.open.set()
    asker.close()


def test_question_is_answered_with_its_number_and_time(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome]
) -> None:
    service.open.clear()
    threading.Timer(0.1, service.open.set).start()
    number = asker.ask(b"7")
    outcome = outcomes.get(timeout=5)
    assert (outcome.number, outcome.result) == (number, Reading("7", (), (), "1"))
    assert 0.05 < outcome.seconds < 5


def test_newest_of_those_that_wait_is_asked_and_the_others_never(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome]
) -> None:
    service.open.clear()
    asker.ask(b"1")
    while not service.asked:
        pass
    for picture in (b"2", b"3", b"4"):
        asker.ask(picture)
    service.open.set()
    answers = [outcomes.get(timeout=5).result, outcomes.get(timeout=5).result]
    assert [answer.text for answer in answers if isinstance(answer, Reading)] == ["1", "4"]
    assert service.asked == [b"1", b"4"]


def test_forgotten_question_has_an_older_number(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome]
) -> None:
    service.open.clear()
    asker.ask(b"1")
    while not service.asked:
        pass
    asker.ask(b"2")
    number = asker.cancel()
    service.open.set()
    assert outcomes.get(timeout=5).number < number
    with pytest.raises(queue.Empty):
        outcomes.get(timeout=0.2)


@pytest.mark.parametrize("error", [AWAY, ServiceBusy("Busy.", "busy", 429, 0.01)])
def test_failure_is_told_and_asked_again_until_it_is_answered(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome], error: ServiceError
) -> None:
    service.failures = [error, error]
    asker.ask(b"5")
    results = [outcomes.get(timeout=5).result for _ in range(3)]
    assert results == [error, error, Reading("5", (), (), "1")]


def test_refused_picture_is_not_asked_again(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome]
) -> None:
    refusal = ServiceError("Send a PNG.", "wrong_kind", 415)
    service.failures = [refusal]
    asker.ask(b"5")
    assert outcomes.get(timeout=5).result is refusal
    with pytest.raises(queue.Empty):
        outcomes.get(timeout=0.2)


def test_newer_question_replaces_one_that_waits_to_be_asked_again(
    asker: Latest, service: Service, outcomes: queue.Queue[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "FIRST_WAIT", 0.2)
    service.failures = [AWAY]
    asker.ask(b"old")
    assert outcomes.get(timeout=5).result is AWAY
    asker.ask(b"new")
    assert outcomes.get(timeout=5).result == Reading("new", (), (), "1")
    assert service.asked == [b"old", b"new"]
