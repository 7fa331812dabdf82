"""The service as a person runs it: `bentoml serve` in a process of its own, over HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from digits import Reader


def test_service_answers_over_http(
    server: Any, draw: Callable[..., Any], encoded: Callable[..., bytes]
) -> None:
    seven = encoded(draw("7"))
    assert server.post("/predict", seven).json()["digit"] == 7
    assert server.post("/read", seven).json()["text"] == "7"
    assert len(server.post("/explain", seven).json()) == 1
    assert server.get("/model").json()["version"] == "1"
    for path in ("/livez", "/readyz", "/healthz", "/docs.json"):
        assert server.get(path).status_code == 200, path


def test_service_answers_as_the_reader_does(
    server: Any, tiny_model: Path, draw: Callable[..., Any], encoded: Callable[..., bytes]
) -> None:
    picture = draw("4")
    said = server.post("/predict", encoded(picture)).json()
    read = Reader.load(tiny_model).predict(picture)
    assert (said["digit"], said["confidence"]) == (read.digit, read.confidence)


def test_page_files_are_served(server: Any) -> None:
    page = server.get("/").text
    for name in ("static_content/swagger-ui.css", "static_content/swagger-ui-bundle.js"):
        assert name in page
        assert server.get(f"/{name}").status_code == 200


def test_bentomls_own_addresses_are_closed(server: Any) -> None:
    for path in ("/schema.json", "/static_content/index.css"):
        answer = server.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"


def test_broken_http_is_refused_in_the_one_shape(server: Any) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(b"nonsense\r\n\r\n")
        head, _, body = client.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["code"] == "broken_http"  # uvicorn itself answers in plain text


def test_without_a_champion_the_default_model_answers(
    tmp_path: Path, serving: Callable[..., Any], seven: bytes
) -> None:
    with serving(tmp_path / "nothing", tmp_path / "home") as server:
        assert server.get("/model").json()["version"] == "default"
        answer = httpx.post(f"{server.url}/predict", files={"image": seven}, trust_env=False).json()
        assert (answer["digit"], answer["model"]) == (7, "default")
        assert f"A model that appears in {tmp_path / 'nothing'} takes over" in server.log.read_text()


def test_nothing_is_sent_home() -> None:
    code = (
        "from bentoml._internal.utils.analytics import usage_stats as usage\n"
        "assert not usage.do_not_track()\n"  # as `bentoml serve` asks, before it imports the service
        "import service.service\n"
        "assert usage.do_not_track()\n"
    )
    run(code)


def test_who_starts_the_workers_imports_nothing_that_reads_pictures() -> None:
    run("import sys, service.service\nassert not {'cv2', 'onnxruntime', 'numpy', 'digits'} & {*sys.modules}")


def test_requests_go_straight_to_the_gate() -> None:
    run(
        "import bentoml\n"
        "bentoml.server_context.worker_index = 1\n"
        "from starlette.testclient import TestClient\n"
        "from service import connection, service\n"
        "with TestClient(service.DigitsService.to_asgi()):\n"
        "    assert type(connection._straight_to).__name__ == 'Gate'\n"
    )


def run(code: str) -> None:
    environment = {"PATH": "", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
