"""The page in process, without a service: its Gradio application, and the files that it serves."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from ui.page import CANVAS, Setting, make_page
from ui.page import setting as setting_of_environment
from ui.proxy import Answer
from ui.text import PAGE

FRIEND = "https://friend.example"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    async def ask(path: str, *_: object) -> Answer:
        return Answer(200, {"text": path}, {})

    async def link(_: str) -> str | None:
        return None

    async def made() -> (
        FastAPI
    ):  # in a loop, as `serve` does: without one, Gradio makes its own and leaves it
        return make_page(ask, link, Setting(embedding={FRIEND}))

    return asyncio.run(made())


def get(app: FastAPI, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as browser:
            return await browser.request(method, path, headers=headers)

    return asyncio.run(send())


def test_page_asks_the_function_that_it_was_made_with(app: FastAPI) -> None:
    assert get(app, "/ask/model").json() == {"text": "/model", "run_link": None}


def test_page_carries_no_outside_address() -> None:
    for path in CANVAS.iterdir():
        if path.is_file() and path.suffix != ".png":
            found = re.findall(r"https?://[^\s\"']+", path.read_text(encoding="utf-8"))
            assert not [one for one in found if not one.startswith("http://www.w3.org/")], (
                path
            )  # names of XML


def test_page_files_are_asked_about_each_time(app: FastAPI) -> None:
    answer = get(app, "/canvas/main.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "javascript" in answer.headers["Content-Type"]


def test_page_has_an_example_of_every_digit(app: FastAPI) -> None:
    for name in [*map(str, range(10)), "number"]:
        assert get(app, f"/canvas/examples/{name}.png").status_code == 200


def test_page_has_gradios_footer_history_and_analytics_off(app: FastAPI) -> None:
    config = get(app, "/config").json()
    assert config["footer_links"] == []
    assert config["analytics_enabled"] is False
    assert config["title"] == PAGE["title"]
    (html,) = [part for part in config["components"] if part["type"] == "html"]
    assert PAGE["recognise"] in html["props"]["html_template"]
    assert "$" not in html["props"]["html_template"]


def test_page_answers_under_its_own_names_only(app: FastAPI) -> None:
    answer = get(app, "/", host="evil.example")
    assert answer.status_code == 421
    assert answer.json()["code"] == "unknown_host"
    assert "ALLOWED_HOSTS" in answer.json()["error"]
    assert get(app, "/", host="laptop.local:7860").status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://page", 200),
        ("https://page", 200),  # a proxy does TLS
        (FRIEND, 200),
        ("http://evil.example", 403),
        ("http://page.evil.example", 403),
        ("http://page:81", 403),
        ("null", 403),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/ask/model"), ("POST", "/ask/read")])
def test_questions_come_from_the_page_or_from_who_embeds_it(
    app: FastAPI, method: str, path: str, origin: str | None, status: int
) -> None:
    answer = get(app, path, method, **({"origin": origin} if origin else {}))
    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (FRIEND if origin == FRIEND else None)


def test_other_pages_cannot_send_to_gradio(app: FastAPI) -> None:
    for path in ("/gradio_api/upload", "/gradio_api/queue/join"):
        assert get(app, path, "POST", origin="http://evil.example").status_code == 403


def test_headers_of_a_proxy_are_not_believed(app: FastAPI) -> None:
    config = get(app, "/config", **{"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}).json()
    assert config["root"] == "http://page"


def test_document_has_our_preview_and_none_of_gradios(app: FastAPI) -> None:
    text = get(app, "/").text
    assert text.count('property="og:title"') == text.count('property="og:image"') == 1
    assert 'property="og:image" content="http://page/canvas/preview.png"' in text
    assert "twitter:creator" not in text
    assert "manifest.json" not in text
    assert f"<noscript><p>{PAGE['no_script']}" in text
    assert f"<title>{PAGE['title']}</title>" in text
    assert get(app, "/canvas/preview.png").status_code == 200


def test_document_may_run_its_own_scripts_alone(app: FastAPI) -> None:
    answer = get(app, "/")
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    scripts = re.findall(r"<script[^>]*>", answer.text)
    inline = [script for script in scripts if "src=" not in script]
    assert len(inline) == rules["script-src"].count("'sha256-") > 0
    assert "unsafe-inline" not in rules["script-src"]
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == f"'self' {FRIEND}"


def test_every_answer_keeps_its_kind_and_its_place(app: FastAPI) -> None:
    for path in ("/", "/config", "/canvas/main.js", "/ask/model", "/nowhere"):
        answer = get(app, path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("setting", ["example.org", "https://example.org/path", "*", "javascript:x"])
def test_setting_that_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("EMBED_ORIGINS", setting)
    with pytest.raises(SystemExit, match="in EMBED_ORIGINS is not an origin"):
        setting_of_environment()
