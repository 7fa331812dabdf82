"""Failures: a message on the page, the drawing is kept, and the answer comes back automatically."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Running
from tests.browser.hand import Place, answer, clear, draw, ink_share

TRIES = (
    "performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/ask/read'))"
    ".map(entry => entry.startTime)"
)


def refuse(route: Route, status: int, code: str) -> None:
    """Answer a request of the page with an error of the service."""
    body = json.dumps({"error": "The service says so.", "code": code})
    route.fulfill(status=status, body=body, content_type="application/json")


def tries(page: Page) -> list[float]:
    """The times of the page's requests in ms of its own clock, which a busy machine does not shift."""
    return [float(begin) for begin in page.evaluate(TRIES)]


def hold_first(page: Page) -> list[Route]:
    """The page's requests as they arrive; the first one is held until the test releases it."""
    asked: list[Route] = []

    def handle(route: Route) -> None:
        asked.append(route)
        if len(asked) > 1:
            route.continue_()

    page.route("**/ask/read", handle)
    return asked


def test_service_stopped_and_started_again_answers_by_itself(page: Page, running: Running) -> None:
    draw(page, 2)
    assert answer(page) == "2"
    running.service.stop()
    try:
        clear(page)
        draw(page, 5)
        expect(page.locator("#trouble")).to_contain_text("is not responding")
        expect(page.locator("#trouble")).to_contain_text("Your drawing is kept.")
        expect(page.locator(".dot")).to_have_class("dot away")
    finally:
        running.service.start()
    expect(page.locator("#big")).to_have_attribute("data-text", "5", timeout=15_000)
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator(".dot")).to_have_class("dot")


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        pytest.param(429, "busy", "is busy", marks=pytest.mark.heavy),
        (503, "busy", "is busy"),
        pytest.param(503, "no_model", "has no model", marks=pytest.mark.heavy),
        (401, "unauthorized", "API_KEY"),
        pytest.param(504, "service_slow", "slow right now", marks=pytest.mark.heavy),
        (500, "internal", "The service says so."),
    ],
)
def test_trouble_that_passes_is_said_and_the_answer_comes_after_it(
    page: Page, status: int, code: str, sentence: str
) -> None:
    page.route("**/ask/read", lambda route: refuse(route, status, code))
    draw(page, 4)
    expect(page.locator("#trouble")).to_contain_text(sentence)
    expect(page.locator("#trouble")).to_contain_text("Your drawing is kept. Retrying automatically.")
    page.unroute("**/ask/read")
    expect(page.locator("#big")).to_have_attribute("data-text", "4", timeout=15_000)
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.heavy
def test_tries_after_a_refusal_wait_longer_each_time(page: Page) -> None:
    page.route("**/ask/read", lambda route: refuse(route, 429, "busy"))
    draw(page, 1)
    drawn = len(tries(page))
    page.wait_for_function(f"({TRIES}).length > {drawn + 2}", timeout=60_000)
    waits = [later - earlier for earlier, later in pairwise(tries(page)[drawn : drawn + 3])]
    for failures, wait in enumerate(waits, drawn):
        assert wait >= min(490 * 2**failures, 4900), waits  # half a second, doubled, up to five


def test_slow_service_is_said_and_waited_for(page: Page) -> None:
    asked = hold_first(page)
    draw(page, 6)
    expect(page.locator("#trouble")).to_contain_text("Still waiting")
    assert len(asked) == 1  # newer drawings wait instead of piling up
    asked[0].continue_()
    expect(page.locator("#big")).to_have_attribute("data-text", "6")
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.heavy
def test_answer_to_a_drawing_that_was_cleared_is_not_shown(page: Page) -> None:
    asked = hold_first(page)
    draw(page, 6)
    page.click("#clear")
    asked[0].continue_()
    assert answer(page) == ""
    expect(page.locator("#verdict")).to_have_text("The answer appears here")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("note.txt", b"no picture at all", "cannot be read as a picture"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "PNG or a JPEG"),
        pytest.param("paper.pdf", b"%PDF-1.4\n%%EOF", "PNG or a JPEG", marks=pytest.mark.heavy),
    ],
)
def test_picture_that_is_refused_leaves_the_drawing(
    page: Page, name: str, content: bytes, sentence: str
) -> None:
    draw(page, 8)
    assert answer(page) == "8"
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
    expect(page.locator("#trouble")).to_contain_text(sentence)
    expect(page.locator("#trouble")).to_contain_text("Your drawing is kept.")
    assert answer(page) == "8"
    expect(page.locator("#trouble")).to_be_visible()
    clear(page)
    expect(page.locator("#trouble")).to_be_hidden()


SVG: FilePayload = {
    "name": "a.svg",
    "mimeType": "image/svg+xml",
    "buffer": b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><path d="M0 0h90v90z"/></svg>',
}
"""A picture that the browser shows and the service refuses."""


@pytest.mark.heavy
def test_refused_picture_leaves_the_paper_cleared_and_what_can_be_undone_and_redone(page: Page) -> None:
    draw(page, 8)
    assert answer(page) == "8"
    draw(page, 1)
    page.click("#undo")
    clear(page)
    page.click("#undo")
    page.click("#redo")
    page.set_input_files("#file", SVG)
    expect(page.locator("#trouble")).to_contain_text("PNG or a JPEG")
    assert ink_share(page) == 0
    assert answer(page) == ""
    page.click("#undo")
    assert answer(page) == "8"
    page.set_input_files("#file", SVG)
    expect(page.locator("#trouble")).to_contain_text("PNG or a JPEG")
    assert answer(page) == "8"
    page.click("#redo")
    assert answer(page) == ""
    expect(page.locator("#redo")).to_be_disabled()


@pytest.mark.heavy
def test_strokes_on_a_picture_that_is_refused_later_stay(page: Page) -> None:
    draw(page, 1, Place(0.1, 0.1, 0.8))
    assert answer(page) == "1"
    before = ink_share(page)
    asked = hold_first(page)
    page.set_input_files("#file", SVG)
    expect(page.locator("#photo-tools")).to_be_visible()
    draw(page, 1, Place(0.8, 0.1, 0.8))
    asked[0].continue_()
    expect(page.locator("#photo-tools")).to_be_hidden()
    assert answer(page) == "11"
    assert ink_share(page) > 1.5 * before
    page.click("#undo")
    assert answer(page) == "1"
    assert ink_share(page) == before


def test_picture_that_is_too_large_leaves_the_drawing(page: Page, tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    noise = Image.frombytes("L", (5000, 4400), random.Random(1).randbytes(22_000_000))
    noise.save(huge, compress_level=0)  # more bytes than the service takes
    draw(page, 3)
    assert answer(page) == "3"
    page.set_input_files("#file", huge)
    expect(page.locator("#trouble")).to_contain_text("too large")
    assert answer(page) == "3"
