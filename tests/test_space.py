"""The result of `make space` starts like a Hugging Face Space."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from ruamel.yaml import YAML

from tests.browser.pictures import picture
from tests.browser.processes import Process
from tests.clients.environments import python_programs
from tests.ports import free_port
from tests.test_requirements import pins

ROOT = Path(__file__).resolve().parent.parent
NAME = "somebody-digits.hf.space"
UV_PIP = [sys.executable, "-m", "uv", "pip"]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "made"
    subprocess.run(["sh", str(ROOT / "space" / "assemble"), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset variables that users of this project may have set, but Hugging Face has not."""
    for name in ("HOST", "PYTHONPATH", "ALLOWED_HOSTS", "EMBED_ORIGINS", "FORWARDED_ALLOW_IPS", "MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def started(space: Path, python: str, folder: Path) -> Iterator[str]:
    """The address of a Space: `python app.py` in its folder, with Hugging Face's variables."""
    port, service_port = free_port(), free_port()
    settings = {"SPACE_ID": "somebody/digits", "SPACE_HOST": NAME, "SYSTEM": "spaces"}
    ports = {"PAGE_PORT": str(port), "SERVICE_PORT": str(service_port)}
    address = f"http://127.0.0.1:{port}"
    log = folder / "space.log"
    with Process(["app"], settings | ports, f"{address}/ask/model", log, python, space):
        yield address


def read(address: str, folder: Path) -> str:
    picture(7).save(folder / "photo.jpg")
    client = Client(address, verbose=False)
    answer = client.predict(picture=handle_file(folder / "photo.jpg"), api_name="/read")
    client.close()
    return str(answer["text"])


def test_header_says_what_hugging_face_asks_for(space: Path) -> None:
    header = YAML(typ="safe").load((space / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert header["sdk"] == "gradio"
    assert f"gradio=={header['sdk_version']}" in pins("ui")
    assert (space / header["app_file"]).is_file()
    assert len(header["short_description"]) <= 60  # else Hugging Face refuses the push


def test_requirements_are_those_of_make_run_but_for_pydantic(space: Path) -> None:
    wanted = {line.split(" ;")[0] for line in (space / "requirements.txt").read_text().splitlines()}
    ours = {pin.split(" ;")[0] for pin in pins("run") if not pin.startswith("pydantic")}
    assert ours <= wanted
    assert not [line for line in wanted if "--hash" in line]


def test_space_holds_what_it_needs_and_nothing_else(space: Path) -> None:
    files = [path for path in space.rglob("*") if path.is_file()]
    assert {path.name for path in space.iterdir()} >= {
        "app.py",
        "README.md",
        "requirements.txt",
        "pyproject.toml",
        "digits",
    }
    assert not [path for path in files if path.suffix == ".pyc" or path.name == ".env"]
    assert sum(path.stat().st_size for path in files) < 10 * 2**20


def test_app_starts_in_a_space(space: Path, tmp_path: Path) -> None:
    with started(space, sys.executable, tmp_path) as address:
        page = httpx.get(address, headers={"Host": NAME, "X-Forwarded-Proto": "https"}, trust_env=False)
        assert page.is_success
        assert "frame-ancestors 'self' https://huggingface.co" in page.headers["Content-Security-Policy"]
        assert f'"https://{NAME}' in page.text, "the page calls the address that it came from"
        strange = httpx.get(address, headers={"Host": "evil.example"}, trust_env=False)
        assert strange.status_code == 421
        assert read(address, tmp_path) == "7"


@pytest.mark.heavy
def test_app_starts_with_what_a_space_installs(space: Path, tmp_path: Path) -> None:
    programs = python_programs("space", ROOT / "requirements" / "space.txt")
    subprocess.run([*UV_PIP, "check", "--python", str(programs / "python")], check=True)
    with started(space, str(programs / "python"), tmp_path) as address:
        assert read(address, tmp_path) == "7"
