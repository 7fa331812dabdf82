"""The page inside a page of another origin, as `<gradio-app>` and in a frame; and origins that may not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from digits import DEFAULT_MODEL
from tests.browser.hand import answer, draw
from tests.browser.processes import page_process, service_process
from tests.ports import free_port

ASK = "address => fetch(address).then(answer => answer.status, () => 'refused')"

INJECT = """() => {
  const script = Object.assign(document.createElement("script"), {textContent: "window.ran = 1"});
  document.body.append(script);
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """An origin that serves the files of a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Origins:
    """The page's address, and those of two other origins with pages that embed it."""

    def __init__(self, page: str, friend: str, stranger: str) -> None:
        self.page, self.friend, self.stranger = page, friend, stranger


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    folder, pages = tmp_path_factory.mktemp("running"), tmp_path_factory.mktemp("pages")
    service_port, page_port = free_port(), free_port()
    address = f"http://127.0.0.1:{page_port}"
    (pages / "part.html").write_text(
        f'<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">'
        f'<script type="module" src="{address}/gradio.js"></script>'
        f'<h1>Elsewhere</h1><gradio-app src="{address}"></gradio-app></html>'
    )
    (pages / "frame.html").write_text(
        f'<!doctype html><html lang="en"><title>Elsewhere</title><link rel="icon" href="data:,">'
        f'<iframe src="{address}/" width="1200" height="700"></iframe></html>'
    )
    with (
        serving(pages) as friend,
        serving(pages) as stranger,
        service_process(service_port, DEFAULT_MODEL, folder, FEEDBACK_DIR=str(folder / "feedback")),
        page_process(page_port, f"http://127.0.0.1:{service_port}", folder, EMBED_ORIGINS=friend),
    ):
        yield Origins(address, friend, stranger)


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def complaints(page: Page) -> list[str]:
    """The errors on the browser's console, from now on."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_page_draws_and_answers_inside_another(page: Page, origins: Origins) -> None:
    found = complaints(page)
    page.goto(f"{origins.friend}/part.html")
    page.wait_for_selector("[data-ready]")
    draw(page, 7)
    assert answer(page) == "7"
    page.click("#why")
    expect(page.locator("#legend")).to_be_visible()
    page.click("#wrong")
    page.click("#feedback-none")
    expect(page.locator("#took")).to_contain_text("Thank you")
    page.click("#clear")
    page.click("#examples button >> nth=4")
    expect(page.locator("#big")).to_have_attribute("data-text", "4")
    assert page.locator("#about-card").evaluate("link => link.href") == f"{origins.page}/ask/model/card"
    assert not found


@pytest.mark.heavy
def test_page_of_another_origin_finds_nothing_to_embed(page: Page, origins: Origins) -> None:
    page.goto(f"{origins.stranger}/part.html")
    page.wait_for_load_state("networkidle")
    assert page.locator("#canvas").count() == 0
    assert page.evaluate(ASK, f"{origins.page}/ask/model") == "refused"
    page.goto(f"{origins.friend}/part.html")
    assert page.evaluate(ASK, f"{origins.page}/ask/model") == 200


def test_only_listed_origins_show_the_page_in_a_frame(page: Page, origins: Origins) -> None:
    page.goto(f"{origins.friend}/frame.html")
    expect(page.frame_locator("iframe").locator("#canvas")).to_be_visible()
    page.goto(f"{origins.stranger}/frame.html")
    page.wait_for_load_state("networkidle")
    assert page.frame_locator("iframe").locator("#canvas").count() == 0


def test_page_of_its_own_has_no_complaint_and_runs_no_script_of_others(page: Page, origins: Origins) -> None:
    found = complaints(page)
    page.goto(origins.page)
    page.wait_for_selector("[data-ready]")
    page.click("#examples button >> nth=3")
    expect(page.locator("#big")).to_have_attribute("data-text", "3")
    assert not found
    page.evaluate(INJECT)
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in found)
