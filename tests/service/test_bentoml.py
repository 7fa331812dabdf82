"""The documented uses of a BentoML service: in process, in a test client, from its clients, and as a Bento.

BentoML is imported in separate processes, as by its users, because its warnings would be errors here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def seven_file(tmp_path: Path, seven: bytes) -> Path:
    (tmp_path / "seven.png").write_bytes(seven)
    return tmp_path / "seven.png"


@pytest.fixture
def broken_file(tmp_path: Path) -> Path:
    (tmp_path / "broken.png").write_text("no picture")
    return tmp_path / "broken.png"


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Any]:
    """Run code in an empty folder and return the value of `said`."""
    (tmp_path / "empty").mkdir()

    def run(code: str, *arguments: object) -> Any:
        begin = "import json, sys\nfrom pathlib import Path\n"
        end = "\nprint(json.dumps(said))"
        done = subprocess.run(
            [sys.executable, "-c", begin + code + end, *map(str, arguments)],
            env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"},
            cwd=tmp_path / "empty",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_methods_work_in_process_without_any_set_up(
    python: Callable[..., Any], seven_file: Path, broken_file: Path
) -> None:
    said = python(
        """
from service.service import DigitsService
service = DigitsService()
seven, broken = map(Path, sys.argv[1:])
said = [service.predict(seven).digit, service.read(image=seven).text, len(service.explain(seven))]
said += [answer.model_dump() for answer in service.predict_batch([seven, broken]).answers]
try:
    service.predict(broken)
except Exception as error:
    said += [type(error).__name__, str(error)]
""",
        seven_file,
        broken_file,
    )
    assert said[:3] == [7, "7", 1]
    assert (said[3]["digit"], said[3]["model"], said[4]["code"]) == (7, "default", "broken_image")
    assert said[5:] == ["BadImage", "This is not a picture. Send PNG, JPEG, WebP, BMP, GIF or TIFF."]


def test_the_service_is_an_application_for_test_clients(python: Callable[..., Any], seven_file: Path) -> None:
    said = python(
        """
from starlette.testclient import TestClient
from service.service import DigitsService
with TestClient(DigitsService.to_asgi()) as client:
    answer = client.post("/predict", files={"image": Path(sys.argv[1]).read_bytes()})
    said = [client.get("/readyz").status_code, client.get("/nowhere").json()["code"], answer.json()["digit"]]
""",
        seven_file,
    )
    assert said == [200, "not_found", 7]


def test_schema_lists_the_methods(server: Any) -> None:
    routes = {route["route"]: route for route in server.get("/schema.json").json()["routes"]}
    assert set(routes) == {"/predict", "/read", "/explain", "/predict_batch"}
    assert routes["/predict"]["input"]["properties"]["image"]["type"] == "file"
    assert "digit" in routes["/predict"]["output"]["properties"]
    assert list(routes["/read"]["output"]["properties"]) == ["text", "numbers", "digits", "tables", "model"]


def test_bentomls_client_calls_every_method(
    server: Any, python: Callable[..., Any], seven_file: Path, broken_file: Path
) -> None:
    said = python(
        """
import bentoml
seven, broken = map(Path, sys.argv[2:])
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    said = [client.predict(image=seven), client.read(seven), client.explain(image=seven)]
    said += client.predict_batch(images=[seven, broken])["answers"]
""",
        server.url,
        seven_file,
        broken_file,
    )
    assert (said[0]["digit"], said[1]["text"], len(said[2])) == (7, "7", 1)
    assert (said[1]["numbers"][0]["marks"], said[1]["digits"][0]["sign"]) == ([0], None)
    assert (said[3]["digit"], said[4]["code"]) == (7, "broken_image")


def test_bentomls_asynchronous_client_calls_every_method(
    server: Any, python: Callable[..., Any], seven_file: Path
) -> None:
    said = python(
        """
import asyncio, bentoml
seven = Path(sys.argv[2])
async def ask():
    async with bentoml.AsyncHTTPClient(sys.argv[1]) as client:
        return [
            (await client.predict(image=seven))["digit"],
            (await client.read(image=seven))["text"],
            len(await client.explain(image=seven)),
            len((await client.predict_batch(images=[seven] * 3))["answers"]),
        ]
said = asyncio.run(ask())
""",
        server.url,
        seven_file,
    )
    assert said == [7, "7", 1, 3]


def test_a_refusal_arrives_as_bentomls_exception_with_our_sentence(
    server: Any, python: Callable[..., Any], seven_file: Path, broken_file: Path
) -> None:
    said = python(
        """
import bentoml
seven, broken = map(Path, sys.argv[2:])
said = []
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    for call in (lambda: client.predict(image=broken), lambda: client.predict_batch(images=[seven] * 65)):
        try:
            call()
        except bentoml.exceptions.BentoMLException as error:
            said.append([type(error).__name__, error.error_code, str(error)])
""",
        server.url,
        seven_file,
        broken_file,
    )
    assert [row[:2] for row in said] == [["InvalidArgument", 400], ["UnprocessableEntity", 422]]
    assert "This is not a picture. Send PNG" in said[0][2]
    assert "occurs 65 times. Send 1 to 64" in said[1][2]


@pytest.mark.heavy  # a service of its own; test_app.py asks for the key in every way
def test_bentomls_client_sends_the_key_as_its_token(
    tmp_path: Path, serving: Callable[..., Any], python: Callable[..., Any], seven_file: Path
) -> None:
    with serving(tmp_path / "none", tmp_path / "home", API_KEY="open sesame") as server:
        said = python(
            """
import bentoml
with bentoml.SyncHTTPClient(sys.argv[1], token="open sesame") as client:
    said = [client.predict(image=Path(sys.argv[2]))["digit"]]
with bentoml.SyncHTTPClient(sys.argv[1]) as client:
    try:
        client.predict(image=Path(sys.argv[2]))
    except bentoml.exceptions.BentoMLException as error:
        said.append(str(error))
""",
            server.url,
            seven_file,
        )
    assert said[0] == 7
    assert "The API key is missing or wrong" in said[1]


def test_a_bento_holds_the_champion_and_serves_it_from_an_empty_folder(
    tmp_path: Path, serving: Callable[..., Any], promote: Callable[..., None], seven: bytes
) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    for name in ("digits", "addresses", "feedback", "traffic", "service", "requirements"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, project)
    promote(project / "models" / "champion", "12")
    home.mkdir()
    environment = os.environ | {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": ""}
    bentoml = [sys.executable, "-m", "bentoml"]
    subprocess.run([*bentoml, "build"], cwd=project, env=environment, capture_output=True, check=True)
    shutil.rmtree(project)

    told = subprocess.run(
        [*bentoml, "get", "digits:latest", "-o", "json"], env=environment, capture_output=True, check=True
    )
    routes = {route["route"] for route in json.loads(told.stdout)["schema"]["routes"]}
    assert routes == {"/predict", "/read", "/explain", "/predict_batch"}

    (tmp_path / "empty").mkdir()
    with serving(None, home, bento="digits:latest", cwd=tmp_path / "empty", PYTHONPATH="") as server:
        answer = server.post("/predict", seven).json()
        assert (answer["digit"], answer["model"]) == (7, "12")
    (recipe,) = home.glob("bentos/digits/*/env/docker/Dockerfile")
    assert "ARG HOST=0.0.0.0" in recipe.read_text(), "in a container it has to listen on every address"
