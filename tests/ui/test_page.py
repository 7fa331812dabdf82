"""The page in process, without a service: what Gradio is given, and what is served."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from ui.page import CANVAS, make_page
from ui.proxy import Answer
from ui.text import PAGE


@pytest.fixture(scope="module")
def app() -> FastAPI:
    async def ask(path: str, *_: object) -> Answer:
        return Answer(200, {"text": path}, {})

    async def link(_: str) -> str | None:
        return None

    async def made() -> (
        FastAPI
    ):  # in a loop, as `serve` does: without one, Gradio makes its own and leaves it
        return make_page(ask, link)

    return asyncio.run(made())


def get(app: FastAPI, path: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://page") as browser:
            return await browser.get(path)

    return asyncio.run(send())


def test_page_asks_the_function_that_it_was_made_with(app: FastAPI) -> None:
    assert get(app, "/ask/model").json() == {"text": "/model", "run_link": None}


def test_page_carries_no_outside_address() -> None:
    for path in CANVAS.iterdir():
        if path.is_file():
            found = re.findall(r"https?://[^\s\"']+", path.read_text(encoding="utf-8"))
            assert not found, path


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
