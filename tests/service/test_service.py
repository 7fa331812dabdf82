"""The service as users run it: `bentoml serve` in a process, over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from digits import Reader

ROOT = Path(__file__).resolve().parents[2]


def test_service_answers_over_http(
    server: Any, draw: Callable[..., Any], encoded: Callable[..., bytes]
) -> None:
    seven = encoded(draw("7"))
    assert server.post("/predict", seven).json()["digit"] == 7
    read = server.post("/read", seven).json()
    assert (read["text"], read["numbers"][0]["text"], read["digits"][0]["sign"]) == ("7", "7", None)
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


def test_wrong_settings_are_told_at_the_start(tmp_path: Path) -> None:
    for setting in ({"LOG_LEVEL": "verbose"}, {"WORKERS": "two"}, {"FEEDBACK_MOST": "all"}):
        command = [sys.executable, "-m", "bentoml", "serve", "service.service:DigitsService"]
        environment = {"PATH": "", "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"} | setting
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        (name,) = setting
        assert done.returncode != 0
        assert f", but is `{setting[name]}`." in done.stdout + done.stderr
        assert f"{name} must be " in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_folder_for_feedback_that_cannot_be_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/feedback")):
        command = [sys.executable, "-m", "bentoml", "serve", "service.service:DigitsService"]
        environment = {"PATH": "", "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"}
        environment["FEEDBACK_DIR"] = str(folder)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert f"Feedback cannot be stored in {folder} (" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_what_bentoml_answers_has_our_refusals_too(server: Any) -> None:
    answer = httpx.post(f"{server.url}/schema.json", trust_env=False)
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (
        405,
        "wrong_method",
        "GET, HEAD",
    )
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        before = schemas_given(client)
        for _ in range(3):  # on one connection, which a fault after the answer would close
            assert "x-request-id" in client.get("/schema.json").headers
        assert schemas_given(client) == before + 3


def schemas_given(client: httpx.Client) -> float:
    """The number of answers to /schema.json, from the service's metrics."""
    counter = 'digits_requests_total{outcome="ok",path="/schema.json"} '
    return float(client.get("/metrics").text.partition(counter)[2].partition("\n")[0] or 0)


def test_other_addresses_of_bentoml_are_closed(server: Any) -> None:
    answer = server.get("/static_content/index.css")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_broken_http_and_websockets_are_no_fault(server: Any) -> None:
    """Without nginx, uvicorn answers them in its own format, and the service keeps running."""
    host, port = server.url.removeprefix("http://").split(":")
    upgrade = (
        b"GET /predict HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n\r\n"
    )
    for sent, status in ((b"nonsense\r\n\r\n", b"400"), (upgrade, b"403")):
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(sent)
            assert client.recv(1000).split()[1] == status
    assert server.get("/livez").status_code == 200


def test_without_a_champion_the_default_model_answers(
    tmp_path: Path, serving: Callable[..., Any], seven: bytes
) -> None:
    with serving(tmp_path / "nothing", tmp_path / "home") as server:
        assert server.get("/model").json()["version"] == "default"
        answer = httpx.post(f"{server.url}/predict", files={"image": seven}, trust_env=False).json()
        assert (answer["digit"], answer["model"]) == (7, "default")
        assert f"Watching {tmp_path / 'nothing'} for a model" in server.log.read_text()


def test_who_starts_the_workers_imports_nothing_that_reads_pictures() -> None:
    run(
        "import sys, service.service\n"
        "assert not {'cv2', 'onnxruntime', 'numpy', 'digits', 'PIL'} & {*sys.modules}"
    )


def run(code: str) -> None:
    environment = {"PATH": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
