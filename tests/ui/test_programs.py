"""The page's API for programs, in process and without a service: files, data: URLs, and errors."""

from __future__ import annotations

import asyncio
import base64
import gc
from collections.abc import Callable, Coroutine
from email import message_from_bytes
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from ui import uploads
from ui.page import MAX_SESSIONS, make_page
from ui.proxy import Answer
from ui.text import PROGRAMS, SERVICE

PICTURE = bytes(range(256)) * 5000  # 1.28 MB, more than Starlette keeps in memory
READING = {"text": "7", "numbers": [], "digits": [], "tables": [], "model": "1"}

Talk = Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]


class Asked:
    """The requests to a fake service, and its next answer."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.answer = Answer(200, READING, {})

    async def __call__(self, path: str, body: bytes, content_type: str) -> Answer:
        assert path == "/read"
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        _, part = message_from_bytes(head + body).walk()
        assert part.get_param("name", header="content-disposition") == "image"
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        self.pictures.append(content)
        return self.answer


@pytest.fixture(scope="module")
def made() -> tuple[FastAPI, Asked]:
    asked = Asked()

    async def link(_: str) -> str | None:
        return None

    async def page() -> FastAPI:  # in a loop, as `serve` does: without one, Gradio makes its own
        return make_page(asked, link)

    return asyncio.run(page()), asked


@pytest.fixture
def asked(made: tuple[FastAPI, Asked]) -> Asked:
    made[1].pictures.clear()
    made[1].answer = Answer(200, READING, {})
    return made[1]


def run(app: FastAPI, talk: Talk) -> None:
    """Send requests to the page in an event loop; an exception in the page becomes a response 500."""

    async def go() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
            await talk(client)

    asyncio.run(go())


def data_url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def file(name: str) -> dict[str, object]:
    """A file as Gradio's clients describe it."""
    return {"path": name, "orig_name": "photo.jpg", "meta": {"_type": "gradio.FileData"}}


async def uploaded(client: httpx.AsyncClient, content: bytes = PICTURE) -> str:
    answer = await client.post("/gradio_api/upload", files={"files": ("photo.jpg", content)})
    (name,) = answer.raise_for_status().json()
    return str(name)


async def read(client: httpx.AsyncClient, picture: object) -> httpx.Response:
    return await client.post("/gradio_api/run/read", json={"data": [picture]})


def test_uploaded_file_is_read_once(made: tuple[FastAPI, Asked], asked: Asked) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        name = await uploaded(client)
        answer = await read(client, file(name))
        assert answer.json()["data"] == [READING]
        assert asked.pictures == [PICTURE]
        again = await read(client, file(name))
        assert (again.status_code, again.json()["error"]) == (500, PROGRAMS["no_picture"])
        assert len(asked.pictures) == 1

    run(made[0], talk)


def test_data_url_is_read(made: tuple[FastAPI, Asked], asked: Asked) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        answer = await read(client, data_url(b"small"))
        assert answer.json()["data"] == [READING]
        assert asked.pictures == [b"small"]

    run(made[0], talk)


@pytest.mark.parametrize(
    "picture",
    [
        file("http://127.0.0.1:1/photo.jpg"),
        file("https://example.org/photo.jpg"),
        file("/etc/passwd"),
        file("") | {"path": file("https://example.org/photo.jpg")},
        [file("https://example.org/photo.jpg")],
        "https://example.org/photo.jpg",
        "/etc/passwd",
        "data:image/png;base64,?",
        "data:image/png,text",
        None,
        7,
    ],
    ids=str,
)
def test_what_is_no_picture_is_refused_and_not_fetched(
    picture: object, made: tuple[FastAPI, Asked], asked: Asked
) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        answer = await read(client, picture)
        assert (answer.status_code, answer.json()["error"]) == (500, PROGRAMS["no_picture"])
        assert not asked.pictures

    run(made[0], talk)


@pytest.mark.usefixtures("asked")
def test_questions_of_many_sessions_are_forgotten(made: tuple[FastAPI, Asked]) -> None:
    sessions, size = 4 * MAX_SESSIONS, 600_000

    async def talk(client: httpx.AsyncClient) -> None:
        for number in range(sessions):
            question = {"data": [data_url(bytes(size))], "session_hash": f"session-{number}"}
            (await client.post("/gradio_api/run/read", json=question)).raise_for_status()

    run(made[0], talk)
    gc.collect()
    held = [part for part in gc.get_objects() if isinstance(part, dict)]
    texts = {
        id(text) for part in held for text in part.values() if isinstance(text, str) and len(text) > size
    }
    assert len(texts) <= MAX_SESSIONS


def test_services_sentence_is_the_error(made: tuple[FastAPI, Asked], asked: Asked) -> None:
    asked.answer = Answer(422, {"error": "Send a PNG.", "code": "unreadable"}, {})

    async def talk(client: httpx.AsyncClient) -> None:
        assert (await read(client, data_url(b"x"))).json()["error"] == "Send a PNG."

    run(made[0], talk)


@pytest.mark.parametrize("address", ["run/read", "call/read", "call/v2/read", "queue/join"])
@pytest.mark.parametrize("body", [b"picture", b"[" * 200_000, b"\xff"])
def test_what_is_no_json_is_refused(address: str, body: bytes, made: tuple[FastAPI, Asked]) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(f"/gradio_api/{address}", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "not_json")

    run(made[0], talk)


def test_endpoint_has_types_and_a_description(made: tuple[FastAPI, Asked]) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        info = (await client.get("/gradio_api/info")).json()["named_endpoints"]
        assert list(info) == ["/read"]
        assert info["/read"]["description"].startswith("Read the handwritten digits")
        assert info["/read"]["parameters"][0]["type"] == {"type": "string"}
        assert info["/read"]["returns"][0]["type"]["properties"]["text"] == {"type": "string"}

    run(made[0], talk)


def test_upload_that_is_no_form_of_a_few_files_is_refused(made: tuple[FastAPI, Asked]) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        many = [("files", ("photo.jpg", b"x"))] * (uploads.MAX_FILES + 1)
        answers = [
            await client.post("/gradio_api/upload"),
            await client.post("/gradio_api/upload", content=b"x", headers={"Content-Type": "image/png"}),
            await client.post(
                "/gradio_api/upload", content=b"x", headers={"Content-Type": "multipart/form-data"}
            ),
            await client.post("/gradio_api/upload", files=many),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["error"]) == (400, SERVICE["not_a_form"])

    run(made[0], talk)


@pytest.mark.parametrize("address", ["process_recording", "component_server", "component_server/"])
def test_files_are_taken_nowhere_else(address: str, made: tuple[FastAPI, Asked]) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        files = {"video": ("screen.mp4", b"x" * 10_000)}
        answer = await client.post(f"/gradio_api/{address}", files=files)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_here")

    run(made[0], talk)


def test_other_pages_cannot_upload_or_ask(made: tuple[FastAPI, Asked]) -> None:
    async def talk(client: httpx.AsyncClient) -> None:
        for address in ("upload", "run/read", "queue/join", "call/read", "mcp"):
            answer = await client.post(f"/gradio_api/{address}", headers={"Origin": "https://evil.example"})
            assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")

    run(made[0], talk)


def test_only_pictures_may_be_large(made: tuple[FastAPI, Asked]) -> None:
    large = b"x" * (2 * 2**20)

    async def talk(client: httpx.AsyncClient) -> None:
        assert await uploaded(client, large)
        for address in ("run/read", "queue/join", "call/read"):
            assert (await client.post(f"/gradio_api/{address}", content=large)).status_code == 413

    run(made[0], talk)


def test_files_take_room_until_they_are_taken_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_KEPT", 10_000)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 0.05)

    async def go() -> None:
        kept = uploads.Uploads()
        first, second = kept.keep(b""), kept.keep(b"x" * 5000)  # an empty one counts, too
        assert first is not None
        assert second is not None
        assert kept.keep(b"") is None
        assert kept.take(second) == b"x" * 5000
        assert kept.keep(b"y") is not None
        await asyncio.sleep(0.1)
        assert kept.take(first) is None
        assert kept.keep(b"z" * 10_000) is not None

    asyncio.run(go())


def test_upload_is_refused_while_there_is_no_room(
    made: tuple[FastAPI, Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_KEPT", 0)

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/gradio_api/upload", files={"files": ("photo.jpg", b"x")})
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"

    run(made[0], talk)
