"""The page's proxy in process, with a fake service behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import httpx
import pytest
from fastapi import FastAPI

from ui.proxy import ask_routes, run_link, service_ask, service_client

Handler = Callable[[httpx.Request], httpx.Response]


def through_page(
    handler: Handler,
    method: str,
    path: str,
    *,
    key: str = "",
    files: Mapping[str, tuple[str | None, bytes, str]] | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """The response to a browser's request to the page, while the service behaves as `handler`."""

    async def send() -> httpx.Response:
        async with service_client("http://service", key, httpx.MockTransport(handler)) as service:
            app = FastAPI()
            app.include_router(ask_routes(service_ask(service), linked))
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://page"
            ) as browser:
                return await browser.request(method, path, files=files, content=content)

    return asyncio.run(send())


async def linked(run_id: str) -> str | None:
    return f"http://mlflow/{run_id}" if run_id else None


def replying(
    status: int, *, json: object = None, text: str | None = None, headers: dict[str, str] | None = None
) -> Handler:
    return lambda _: httpx.Response(status, json=json, text=text, headers=headers)


def unasked(_: httpx.Request) -> httpx.Response:
    raise AssertionError("the service was asked")


PICTURE = {"image": ("drawing.png", b"the picture", "image/png")}


@pytest.mark.parametrize("question", ["read", "explain"])
def test_question_goes_on_as_it_came(question: str) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"text": "7"}, headers={"X-Request-ID": "a1", "Set-Cookie": "x=y"})

    answer = through_page(handler, "POST", f"/ask/{question}", key="secret", files=PICTURE)
    assert answer.json() == {"text": "7"}
    assert answer.headers["X-Request-ID"] == "a1"
    assert "Set-Cookie" not in answer.headers
    assert seen[0].url.path == f"/{question}"
    assert b"the picture" in seen[0].content
    assert seen[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert seen[0].headers["Authorization"] == "Bearer secret"


def test_refusal_comes_back_with_status_sentence_and_retry_after() -> None:
    refusal = {"error": "Busy.", "code": "busy"}
    answer = through_page(
        replying(429, json=refusal, headers={"Retry-After": "3"}),
        "POST",
        "/ask/read",
        files=PICTURE,
    )
    assert (answer.status_code, answer.json()) == (429, refusal)
    assert answer.headers["Retry-After"] == "3"


def failing(error: type[httpx.RequestError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("failed", request=request)

    return handler


@pytest.mark.parametrize(
    ("handler", "status", "code", "sentence"),
    [
        (failing(httpx.ConnectError), 502, "service_away", "at http://service is not responding. Start it"),
        (failing(httpx.ReadTimeout), 504, "service_slow", "did not answer within 10 seconds. Try again"),
        (failing(httpx.RemoteProtocolError), 502, "service_away", "is not responding. Start it"),
        (replying(200, text="<html>"), 502, "service_strange", "at http://service is not the recognition"),
    ],
)
def test_failure_on_the_way_is_an_answer_with_a_sentence(
    handler: Handler, status: int, code: str, sentence: str
) -> None:
    answer = through_page(handler, "POST", "/ask/read", files=PICTURE)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert sentence in answer.json()["error"]


def test_connection_that_the_service_just_closed_is_tried_once_more() -> None:
    tries: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        if len(tries) == 1:
            raise httpx.RemoteProtocolError("closed", request=request)
        return httpx.Response(200, json={"text": "1"})

    assert through_page(handler, "POST", "/ask/read", files=PICTURE).json() == {"text": "1"}
    assert len(tries) == 2


def test_unknown_question_is_not_passed_on() -> None:
    assert through_page(unasked, "POST", "/ask/admin", files=PICTURE).status_code == 422


OFF = replying(404, json={"error": "No feedback is kept.", "code": "feedback_off"})


def test_feedback_that_is_off_is_no_error_of_the_page() -> None:
    answer = through_page(OFF, "GET", "/ask/feedback")
    assert (answer.status_code, answer.json()) == (200, None)
    assert through_page(OFF, "POST", "/ask/feedback", files=PICTURE).status_code == 404  # it was on before


def test_feedback_goes_on_with_its_label() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"kept": 3, "most": 9})

    assert through_page(handler, "GET", "/ask/feedback").json() == {"kept": 3, "most": 9}
    files = {**PICTURE, "label": (None, b"2047", "text/plain")}
    through_page(handler, "POST", "/ask/feedback", files=files)
    assert [(request.method, request.url.path) for request in seen] == [
        ("GET", "/feedback"),
        ("POST", "/feedback"),
    ]
    assert b"2047" in seen[1].content


@pytest.mark.parametrize(
    "handler", [failing(httpx.ConnectError), replying(503, json={"code": "feedback_away"})]
)
def test_feedback_that_cannot_be_asked_about_is_not_off(handler: Handler) -> None:
    assert through_page(handler, "GET", "/ask/feedback").status_code >= 500


def test_model_comes_with_the_link_to_its_run() -> None:
    answer = through_page(replying(200, json={"version": "3", "run_id": "abc"}), "GET", "/ask/model")
    assert answer.json() == {"version": "3", "run_id": "abc", "run_link": "http://mlflow/abc"}


CARD = "<!DOCTYPE html><title>Card</title>"


def test_card_is_a_page_that_can_load_and_run_nothing() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, html=CARD, headers={"Set-Cookie": "x=y"})

    answer = through_page(handler, "GET", "/ask/model/card", key="secret")
    assert (answer.status_code, answer.text) == (200, CARD)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    rules = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "img-src data:", "sandbox"} <= {*rules}
    assert "Set-Cookie" not in answer.headers
    assert seen[0].url.path == "/model/card"
    assert seen[0].headers["Authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("handler", "status", "sentence"),
    [
        (replying(404, json={"error": "No card.", "code": "not_found"}), 404, "No card."),
        (replying(200, json=["something"]), 200, "has no model card"),
        (replying(200, text="<b>"), 502, "is not the recognition"),
        (failing(httpx.ConnectError), 502, "is not responding. Start it"),
    ],
)
def test_card_that_does_not_come_is_a_sentence_in_plain_text(
    handler: Handler, status: int, sentence: str
) -> None:
    answer = through_page(handler, "GET", "/ask/model/card")
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert sentence in answer.text


def link(handler: Handler, run_id: str = "abc") -> str | None:
    async def look() -> str | None:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(base_url="http://mlflow:5000", transport=transport) as client:
            return await run_link(client, run_id, "http://shown:5000/")

    return asyncio.run(look())


def test_run_link_names_experiment_and_run() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.params["run_id"] == "abc"
        return httpx.Response(200, json={"run": {"info": {"experiment_id": "7"}}})

    assert link(handler) == "http://shown:5000/#/experiments/7/runs/abc"


@pytest.mark.parametrize(
    "handler",
    [
        failing(httpx.ConnectError),
        replying(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST"}),
        replying(200, text="another program"),
        replying(200, json={"other": "program"}),
    ],
)
def test_run_link_is_none_where_mlflow_does_not_know(handler: Handler) -> None:
    assert link(handler) is None


def test_run_link_of_a_model_without_a_run_asks_nobody() -> None:
    assert link(unasked, "") is None
