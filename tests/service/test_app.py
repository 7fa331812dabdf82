"""What the application gives every endpoint: refusals in one shape, keys, request ids, logs, metrics."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from service import app
from service.errors import Busy
from service.openapi import PAGE, Endpoint
from service.runtime.logs import JsonLines

MakeClient = Callable[..., TestClient]


def test_wrong_addresses_and_methods_are_refused(client: TestClient) -> None:
    assert_refused(client.get("/nowhere"), 404, "not_found")
    assert_refused(client.post("/nowhere"), 404, "not_found")
    answer = client.get("/predict")
    assert_refused(answer, 405, "wrong_method")
    assert answer.headers["allow"] == "POST"
    assert_refused(client.delete("/model"), 405, "wrong_method")


def test_api_key_is_asked_for(tiny_model: Path, make_client: MakeClient, seven: bytes) -> None:
    client = make_client(tiny_model, api_key="open sesame")
    refused = client.post("/predict", files={"image": seven})
    assert_refused(refused, 401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert_refused(client.get("/model", headers={"Authorization": "Bearer open"}), 401, "unauthorized")
    assert_refused(client.get("/model", headers={"Authorization": "open sesame"}), 401, "unauthorized")
    other = {"Authorization": "Basic eDp5", "X-API-Key": "open sesame"}
    for headers in ({"Authorization": "bearer open sesame"}, {"X-API-Key": "open sesame"}, other):
        assert client.post("/predict", files={"image": seven}, headers=headers).status_code == 200
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_service_answers_under_its_own_names_only(tiny_model: Path, make_client: MakeClient) -> None:
    client = make_client(tiny_model, hosts={"digits.example.org"})
    for host in ("127.0.0.1:3000", "service", "laptop.local", "digits.example.org"):
        assert client.get("/livez", headers={"Host": host}).status_code == 200
    refused = client.get("/model", headers={"Host": "evil.example"})
    assert_refused(refused, 421, "unknown_host")
    assert "ALLOWED_HOSTS" in refused.json()["error"]
    assert refused.headers["x-request-id"]


@pytest.mark.parametrize("asked", ["/digits-api", ""])
def test_service_answers_under_a_prefix(tiny_model: Path, make_client: MakeClient, asked: str) -> None:
    client = make_client(tiny_model, root_path="/digits-api")
    assert client.get(f"{asked}/livez").status_code == 200
    assert client.get(f"{asked}/docs.json").json()["servers"] == [{"url": "/digits-api"}]
    assert make_client(tiny_model).get("/docs.json").json()["servers"] == [{"url": "/"}]


def test_request_id_comes_back(client: TestClient) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = {
        client.get("/nowhere", headers={"X-Request-ID": "not\tplain"}).headers["x-request-id"] for _ in "ab"
    }
    assert len(made) == 2


def test_trace_id_is_in_the_answer_and_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    caplog.set_level("INFO", "service")
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = client.get("/model", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", answer.headers["traceresponse"])
    (record,) = [record for record in caplog.records if record.name == "service"]
    assert json.loads(JsonLines().format(record))["trace_id"] == trace


@pytest.mark.parametrize(
    "given",
    [
        "",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-b7ad6b7169203331-01",
        "a" * 10_000,
    ],
)
def test_broken_trace_ids_are_passed_over(client: TestClient, given: str) -> None:
    answer = client.get("/model", headers={"traceparent": given})
    assert answer.status_code == 200
    assert "traceresponse" not in answer.headers


def test_a_fault_of_ours_leaks_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr("service.endpoints.sent.opened", fail)
    answer = client.post("/predict", files={"image": b"x"})
    assert_refused(answer, 500, "internal")
    assert "secret" not in answer.text


def test_docs_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "//" not in PAGE


def test_body_that_says_it_is_too_large_is_refused(client: TestClient) -> None:
    answer = client.post("/predict", content=b"x", headers={"Content-Length": str(60 * 2**20)})
    assert_refused(answer, 413, "too_large")


def test_body_that_is_too_large_is_refused(client: TestClient) -> None:
    answer = client.post("/predict", content=(bytes(2**20) for _ in range(25)))
    assert_refused(answer, 413, "too_large")


def test_cors_is_off_unless_named(tiny_model: Path, make_client: MakeClient) -> None:
    asking = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    closed = make_client(tiny_model)
    assert "access-control-allow-origin" not in closed.get("/model", headers=asking).headers
    assert_refused(closed.options("/predict", headers=asking), 405, "wrong_method")
    opened = make_client(tiny_model, origins=["https://page.example"], api_key="key")
    answer = opened.options("/predict", headers=asking)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    other = opened.get("/model", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_every_request_is_one_line_of_log(
    client: TestClient, seven: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("service"), "propagate", True)
    caplog.set_level("INFO", "service")
    client.post("/predict?secret=1", files={"image": seven}, headers={"X-Request-ID": "abc"})
    client.get("/livez")
    client.get("/nowhere")
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "service"]
    assert [(line["path"], line["status"], line["outcome"]) for line in lines] == [
        ("/predict", 200, "ok"),
        ("/nowhere", 404, "not_found"),
    ]
    assert lines[0]["request_id"] == "abc"
    assert "secret" not in str(lines)


def test_metrics_count_by_endpoint_and_outcome(client: TestClient, seven: bytes) -> None:
    def count(path: str, outcome: str) -> float:
        labels = {"path": path, "outcome": outcome}
        return REGISTRY.get_sample_value("digits_requests_total", labels) or 0

    before = [count("/predict", "ok"), count("/predict", "wrong_field"), count("unknown", "not_found")]
    client.post("/predict", files={"image": seven})
    client.post("/predict")
    client.get("/any/path/at/all")
    assert [count("/predict", "ok"), count("/predict", "wrong_field"), count("unknown", "not_found")] == [
        number + 1 for number in before
    ]
    text = client.get("/metrics").text
    assert "any/path" not in text
    for path, outcome in (
        ("/predict", "internal"),
        ("/feedback", "internal"),
        ("/feedback", "feedback_full"),
    ):
        assert f'digits_requests_total{{outcome="{outcome}",path="{path}"}}' in text, (
            "shown before there is one"
        )
    for name in (
        "step_seconds_bucket",
        "answers_total",
        "confidence_bucket",
        "queue",
        "workers",
        "request_seconds_sum",
    ):
        assert f"digits_{name}" in text


def test_document_describes_every_endpoint(client: TestClient) -> None:
    document = client.get("/docs.json").json()
    assert document["openapi"].startswith("3.1")
    pictures = {"/predict", "/read", "/explain", "/predict_batch"}
    operators = {"/model", "/model/card", "/livez", "/readyz", "/healthz", "/metrics", "/docs.json"}
    assert pictures | operators | {"/v2/models/digits/infer"} <= set(document["paths"])
    predict = document["paths"]["/predict"]["post"]
    assert predict["requestBody"]["content"]["multipart/form-data"]["schema"]["required"] == ["image"]
    assert {"200", "400", "413", "415", "422", "503"} <= set(predict["responses"])


def test_document_says_whether_a_key_is_asked_for(
    client: TestClient, tiny_model: Path, make_client: MakeClient
) -> None:
    """A client that is generated where none is asked for would else be typed as if it needed one."""
    locked = make_client(tiny_model, api_key="open sesame")
    asks: list[tuple[TestClient, list[dict[str, list[str]]]]] = [(client, []), (locked, [{"key": []}])]
    for asked, security in asks:
        paths = asked.get("/docs.json").json()["paths"]
        predict = paths["/predict"]["post"]
        assert predict["security"] == security
        assert ("401" in predict["responses"]) is bool(security)
        assert paths["/livez"]["get"]["security"] == []


def test_document_names_things_as_generated_clients_need_it(client: TestClient) -> None:
    document = client.get("/docs.json").json()
    operations = [entry for path in document["paths"].values() for entry in path.values()]
    names = [entry["operationId"] for entry in operations]
    assert len(set(names)) == len(names)
    assert {"predict", "read", "explain", "predict_batch", "get_model"} <= set(names)
    assert all(name.isidentifier() for name in names)
    assert all(entry["tags"][0] in [tag["name"] for tag in document["tags"]] for entry in operations)
    picture = document["paths"]["/predict"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert picture["properties"]["image"] | {"description": ""} == {
        "type": "string",
        "format": "binary",
        "minLength": 1,
        "description": "",
    }
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if "Manifest" in name] == ["Manifest"]
    assert schemas["Wanted"]["properties"]["name"]["enum"] == ["probabilities", "digit"]


def test_a_worker_with_several_requests_closes_every_nth_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has time takes the next one; a client alone keeps its connection."""
    monkeypatch.setattr(app, "CLOSE_EVERY", 3)

    async def slow(_request: Request) -> Response:
        await asyncio.sleep(0.02)
        return Response()

    async def ask() -> list[int]:
        served = app.application([Endpoint("GET", "/slow", slow, "Slow", "text/plain")])
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            alone = [await client.get("/slow") for _ in range(6)]
            together = await asyncio.gather(*(client.get("/slow") for _ in range(9)))
        return [sum("connection" in answer.headers for answer in answers) for answers in (alone, together)]

    assert asyncio.run(ask()) in ([0, 3], [0, 2])  # the last of nine is alone


def test_a_refusal_that_is_held_back_holds_nothing_of_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    class Picture:
        """Something large."""

    pictures: list[weakref.ref[Picture]] = []

    async def busy(_request: Request) -> Response:
        picture = Picture()
        pictures.append(weakref.ref(picture))
        raise Busy("There is too much to do.")

    async def ask() -> object:
        monkeypatch.setattr(Busy, "held_seconds", 0.2)
        served = app.application([Endpoint("GET", "/busy", busy, "Busy", "text/plain")])
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            asked = asyncio.create_task(client.get("/busy"))
            await asyncio.sleep(0.1)
            held = pictures[0]()
            assert (await asked).status_code == 503
        return held

    assert asyncio.run(ask()) is None


def assert_refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "code"}
    assert answer.json()["code"] == code
    assert answer.json()["error"].endswith((".", "`"))
