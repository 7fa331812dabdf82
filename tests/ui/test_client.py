"""The client with a fake service in its transport."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from ui.client import (
    Mark,
    Number,
    Reading,
    Service,
    ServiceAway,
    ServiceBusy,
    ServiceError,
    ServiceSlow,
    service_url,
)

READING = {
    "text": "-4 ?",
    "numbers": [
        {
            "text": "-4",
            "confidence": 0.9,
            "box": [0, 2, 3, 4],
            "marks": [0, 1],
            "row": 0,
            "column": 1,
            "printed": True,
        },
        {
            "text": "?",
            "confidence": None,
            "box": [5, 6, 7, 8],
            "marks": [2],
            "row": None,
            "column": None,
            "printed": False,
        },
    ],
    "digits": [
        {
            "digit": None,
            "confidence": None,
            "probabilities": [0.1] * 10,
            "rejected": None,
            "box": [0, 3, 1, 4],
            "sign": "-",
        },
        {
            "digit": 4,
            "confidence": 0.9,
            "probabilities": [0.01] * 10,
            "rejected": None,
            "box": [1, 2, 3, 4],
            "sign": None,
        },
        {
            "digit": None,
            "confidence": None,
            "probabilities": [0.1] * 10,
            "rejected": "not_a_digit",
            "box": [5, 6, 7, 8],
            "sign": None,
        },
    ],
    "model": "12",
}


def service(handler: Callable[[httpx.Request], httpx.Response], key: str = "") -> Service:
    return Service("http://service:3000/", key, httpx.MockTransport(handler))


def replying(
    status: int, *, json: object = None, text: str | None = None, headers: dict[str, str] | None = None
) -> Service:
    return service(lambda _: httpx.Response(status, json=json, text=text, headers=headers))


def test_read_gives_typed_numbers_and_marks() -> None:
    with replying(200, json=READING) as one:
        reading = one.read(b"png")
    assert reading == Reading(
        "-4 ?",
        (
            Number("-4", 0.9, (0, 2, 3, 4), (0, 1), 0, 1, printed=True),
            Number("?", None, (5, 6, 7, 8), (2,)),
        ),
        (
            Mark(None, None, (0.1,) * 10, None, (0, 3, 1, 4), "-"),
            Mark(4, 0.9, (0.01,) * 10, None, (1, 2, 3, 4)),
            Mark(None, None, (0.1,) * 10, "not_a_digit", (5, 6, 7, 8)),
        ),
        "12",
    )
    assert [mark.text for mark in reading.digits] == ["-", "4", "?"]


def test_read_sends_the_picture_as_the_field_image() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/read")
        assert b'name="image"' in request.content
        assert b"the picture" in request.content
        return httpx.Response(200, json=READING)

    service(handler).read(b"the picture")


def test_key_is_sent_only_where_there_is_one() -> None:
    sent: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Authorization"))
        return httpx.Response(200, json=READING)

    service(handler, "secret").read(b"")
    service(handler).read(b"")
    assert sent == ["Bearer secret", None]


def test_nobody_there_is_said_with_the_address() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ServiceAway, match=r"http://service:3000 is not responding.*make serve"):
        service(handler).read(b"")


def test_no_answer_in_time_is_slow() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=request)

    with pytest.raises(ServiceSlow, match="10 seconds"):
        service(handler).read(b"")


@pytest.mark.parametrize("status", [429, 503])
def test_busy_says_when_to_come_back(status: int) -> None:
    refusal = {"error": "Busy.", "code": "busy"}
    with pytest.raises(ServiceBusy, match="Busy") as caught:
        replying(status, json=refusal, headers={"Retry-After": "4"}).read(b"")
    assert caught.value.retry_after == 4
    assert caught.value.status == status


def test_busy_without_a_number_comes_back_after_a_second() -> None:
    refusal = {"error": "Busy.", "code": "busy"}
    with pytest.raises(ServiceBusy) as caught:
        replying(503, json=refusal, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}).read(b"")
    assert caught.value.retry_after == 1


def test_refusal_carries_the_services_own_sentence() -> None:
    with pytest.raises(ServiceError, match=r"Send a PNG\.") as caught:
        replying(415, json={"error": "Send a PNG.", "code": "wrong_kind"}).read(b"")
    assert (caught.value.code, caught.value.status) == ("wrong_kind", 415)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<html>another program</html>"),
        (404, "Not found"),
        (404, '{"detail": "Not found"}'),
        (200, '{"text": "4"}'),
        (200, '{"text": "4", "numbers": [{"box": [1]}], "digits": [], "model": "1"}'),
        (200, "[1, 2]"),
    ],
)
def test_another_program_at_the_address_is_recognised(status: int, text: str) -> None:
    with pytest.raises(ServiceAway, match="is not the recognition service"):
        replying(status, text=text).read(b"")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, "http://127.0.0.1:3000"),
        ({"SERVICE_PORT": "3100"}, "http://127.0.0.1:3100"),
        ({"SERVICE_PORT": "3100", "SERVICE_URL": "http://proxy:3000"}, "http://proxy:3000"),
        ({"SERVICE_PORT": "", "SERVICE_URL": ""}, "http://127.0.0.1:3000"),
    ],
    ids=str,
)
def test_service_url_is_the_named_one_or_the_port_here(
    environment: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SERVICE_URL", "SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert service_url() == url
