"""Corrections: by mouse, keys and finger, changed afterwards, refused, and stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, Route, expect

from digits import DEFAULT_MODEL
from feedback.record import Kept
from feedback.store import Store
from tests.browser.hand import Place, answer, clear, draw
from tests.browser.pictures import encoded, picture
from tests.browser.processes import Process, page_process, service_process
from tests.browser.said import show
from tests.browser.uploads import uploaded, watch
from tests.ports import free_port

LEAST = 44
"""Minimum width and height of a touch target in pixels."""


@dataclass(frozen=True)
class Keeping:
    """A service that stores feedback, and the page in front of it."""

    url: str
    service: Process
    folder: Path

    def kept(self) -> list[Kept]:
        return Store(self.folder).kept()


@pytest.fixture(scope="module")
def running_keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeping]:
    logs, folder = tmp_path_factory.mktemp("running"), tmp_path_factory.mktemp("feedback")
    service_port, page_port = free_port(), free_port()
    service = service_process(service_port, DEFAULT_MODEL, logs, FEEDBACK_DIR=str(folder))
    with service, page_process(page_port, f"http://127.0.0.1:{service_port}", logs):
        yield Keeping(f"http://127.0.0.1:{page_port}/", service, folder)


@pytest.fixture
def keeping(running_keeping: Keeping) -> Iterator[Keeping]:
    """The service, without stored feedback."""
    yield running_keeping
    Store(running_keeping.folder).remove_all()


@pytest.fixture
def page(context: BrowserContext, keeping: Keeping) -> Page:
    return opened(context, keeping)


@pytest.fixture
def phone(chromium: Browser, keeping: Keeping) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    yield opened(context, keeping)
    context.close()


def opened(context: BrowserContext, keeping: Keeping) -> Page:
    page = context.new_page()
    page.goto(keeping.url)
    page.wait_for_selector("[data-ready]")
    watch(page)
    return page


def digit(page: Page, name: str) -> Locator:
    return page.locator("#feedback-digits").get_by_role("button", name=name)


def thanked(page: Page, name: str) -> None:
    """Expect that the thanks are shown and announced, and that the dialog is closed."""
    for place in ("#took", "#spoken"):
        expect(page.locator(place)).to_have_text(f"Thank you. Saved as {name}.")
    expect(page.locator("#feedback")).to_be_hidden()


def test_a_mouse_corrects_a_drawing_and_changes_its_mind(page: Page, keeping: Keeping) -> None:
    draw(page, 7)
    assert answer(page) == "7"
    page.click("#wrong")
    expect(page.locator("#feedback-note")).to_contain_text("only if someone runs make learn there")
    digit(page, "1").click()
    thanked(page, "1")
    (kept,) = keeping.kept()
    assert (kept.label, kept.answer, kept.state) == ("1", "7", "new")
    assert kept.picture(keeping.folder).read_bytes() == uploaded(page)
    expect(page.locator("#wrong")).to_have_text("Change")
    expect(page.locator("#wrong")).to_be_focused()
    page.click("#wrong")
    expect(digit(page, "1")).to_have_attribute("aria-pressed", "true")
    page.click("#feedback-none")
    thanked(page, "not a digit")
    assert [one.label for one in keeping.kept()] == ["not_a_digit"]
    clear(page)
    expect(page.locator("#wrong")).to_be_hidden()  # there is nothing that could be wrong
    page.click("#undo")
    expect(page.locator("#wrong")).to_have_text("Change")  # the same paper
    draw(page, 1, Place(0.1, 0.1, 0.8))
    expect(page.locator("#wrong")).to_have_text("Wrong?")  # another one


def test_keys_alone_correct_a_drawing(page: Page, keeping: Keeping) -> None:
    draw(page, 3)
    assert answer(page) == "3"
    expect(page.locator("#wrong")).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "wrong":
            break
    page.keyboard.press("Enter")
    expect(digit(page, "0")).to_be_focused()
    reached = []
    for _ in range(13):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert reached[:12] == [*"123456789", "feedback-none", "feedback-number", "Send"]
    page.keyboard.press("Escape")
    expect(page.locator("#feedback")).to_be_hidden()
    expect(page.locator("#wrong")).to_be_focused()
    assert keeping.kept() == []
    page.keyboard.press("Enter")
    page.keyboard.press("8")
    thanked(page, "8")
    assert [one.label for one in keeping.kept()] == ["8"]


def test_a_finger_corrects_on_a_phone_and_nothing_moves(phone: Page, keeping: Keeping) -> None:
    draw(phone, 5)
    assert answer(phone) == "5"
    parts = [phone.locator(part) for part in ("#paper", "#answer", "#clear", ".examples")]
    expect(phone.locator("#wrong")).to_be_visible()
    before = [part.bounding_box() for part in parts]
    phone.locator("#wrong").tap()
    targets = [phone.locator("#wrong"), *phone.locator("#feedback :is(button, textarea)").all()]
    assert len(targets) == 15
    for target in targets:
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST
        assert box["x"] >= 0 <= box["y"]
        assert box["x"] + box["width"] <= 360
        assert box["y"] + box["height"] <= 640
    paper, sheet = (phone.locator(part).bounding_box() for part in ("#paper", "#feedback"))
    assert paper is not None
    assert sheet is not None
    assert sheet["y"] > paper["y"] + 0.4 * paper["height"]  # what was drawn can still be seen
    six = digit(phone, "6")
    six.tap()
    six.tap()  # a second, impatient tap hits nothing underneath
    thanked(phone, "6")
    assert [part.bounding_box() for part in parts] == before
    assert [one.label for one in keeping.kept()] == ["6"]


def test_a_number_is_corrected_where_it_is_wrong(page: Page, keeping: Keeping) -> None:
    draw(page, 2, Place(0.1, 0.2, 0.5))
    draw(page, 7, Place(0.7, 0.2, 0.5))
    assert answer(page) == "27"
    page.click("#wrong")
    field = page.get_by_label("A number:")
    expect(field).to_be_focused()
    expect(field).to_have_value("27")
    field.fill("-2,7")
    field.press("Enter")
    thanked(page, "-2,7")
    (kept,) = keeping.kept()
    assert (kept.label, kept.answer) == ("-2,7", "27")
    assert kept.picture(keeping.folder).read_bytes() == uploaded(page)


@pytest.mark.heavy
def test_what_is_no_number_is_said_and_stays(page: Page, keeping: Keeping) -> None:
    show(page, "?")
    page.click("#wrong")
    field = page.get_by_label("A number:")
    expect(field).to_have_value("")
    field.fill("seven")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#feedback-said")).to_contain_text("Enter digits")
    expect(field).to_have_value("seven")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    page.click("#wrong")
    expect(field).to_have_value("seven")
    field.fill("\N{MINUS SIGN}17")
    page.get_by_role("button", name="Send").click()
    thanked(page, "-17")
    assert [one.label for one in keeping.kept()] == ["-17"]


@pytest.mark.heavy
def test_the_sheet_is_about_one_drawing(page: Page) -> None:
    draw(page, 3)
    assert answer(page) == "3"
    page.click("#wrong")
    page.get_by_label("A number:").type("4711")
    page.keyboard.press("Control+z")  # undoes what is typed
    assert answer(page) == "3"
    expect(page.locator("#feedback")).to_be_visible()
    file: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": encoded(picture(4))}
    page.set_input_files("#file", file)  # as pasting does
    expect(page.locator("#big")).to_have_attribute("data-text", "4")
    expect(page.locator("#feedback")).to_be_hidden()


@pytest.mark.heavy
@pytest.mark.parametrize("changed", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_the_photo_is_kept_as_it_was_read(page: Page, keeping: Keeping, changed: bool) -> None:
    content = encoded(picture(4, (800, 600)), "JPEG")
    page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.locator("#big")).to_have_attribute("data-text", "4")
    if changed:
        with page.expect_response("**/ask/read"):
            page.click("#turn-left")
    answer(page)
    page.click("#wrong")
    digit(page, "4").click()
    thanked(page, "4")
    (kept,) = keeping.kept()
    assert kept.file.endswith(".jpg")
    assert kept.picture(keeping.folder).read_bytes() == uploaded(page)
    assert (uploaded(page) == content) is not changed


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (507, "feedback_full", "can make room with make feedback"),
        pytest.param(503, "feedback_away", "cannot write to its feedback folder", marks=pytest.mark.heavy),
        pytest.param(502, "service_away", "is not responding", marks=pytest.mark.heavy),
        (0, "", "server is not responding"),
    ],
)
def test_what_was_chosen_stays_where_it_cannot_be_kept(
    page: Page, keeping: Keeping, status: int, code: str, sentence: str
) -> None:
    def refuse(route: Route) -> None:
        if status:
            route.fulfill(status=status, json={"error": "The service says so.", "code": code})
        else:
            route.abort()

    draw(page, 2, Place(0.1, 0.2, 0.5))
    draw(page, 7, Place(0.7, 0.2, 0.5))
    assert answer(page) == "27"
    page.click("#wrong")
    field = page.get_by_label("A number:")
    page.route("**/ask/feedback", refuse)
    field.fill("21")
    before = page.locator("#feedback").bounding_box()
    field.press("Enter")
    expect(page.locator("#feedback-said")).to_contain_text(sentence)
    expect(page.locator("#feedback-said")).to_contain_text("not saved")
    assert page.locator("#feedback").bounding_box() == before
    expect(field).to_have_value("21")
    page.unroute("**/ask/feedback")
    field.press("Enter")
    thanked(page, "21")
    assert [one.label for one in keeping.kept()] == ["21"]


@pytest.mark.heavy
def test_feedback_that_was_switched_off_meanwhile_is_said_and_gone(page: Page) -> None:
    draw(page, 3)
    assert answer(page) == "3"
    page.click("#wrong")
    off = {"error": "The service says so.", "code": "feedback_off"}
    page.route("**/ask/feedback", lambda route: route.fulfill(status=404, json=off))
    digit(page, "8").click()
    expect(page.locator("#feedback-said")).to_have_text(
        "The recognition service no longer stores corrections."
    )
    page.keyboard.press("Escape")
    expect(page.locator("#wrong")).to_be_hidden()


@pytest.mark.heavy
def test_a_service_that_is_started_anew_keeps_what_is_chosen_again(page: Page, keeping: Keeping) -> None:
    draw(page, 3)
    assert answer(page) == "3"
    page.click("#wrong")
    keeping.service.stop()
    try:
        digit(page, "8").click()
        expect(page.locator("#feedback-said")).to_contain_text("is not responding")
    finally:
        keeping.service.start()
    digit(page, "8").click()
    thanked(page, "8")
    assert [one.label for one in keeping.kept()] == ["8"]


@pytest.mark.heavy
def test_a_table_and_a_service_that_keeps_nothing_offer_no_correction(page: Page) -> None:
    asked: list[str] = []

    def none(route: Route) -> None:
        asked.append(route.request.method)
        route.fulfill(body="null", content_type="application/json")

    page.route("**/ask/feedback", none)
    show(page, "7")
    page.wait_for_timeout(300)
    expect(page.locator("#wrong")).to_be_hidden()
    clear(page)
    show(page, "8")
    assert asked == ["GET"]  # once
    page.unroute_all()
    page.reload()
    expect(page.locator("#wrong")).to_be_visible()  # feedback is stored again, and the drawing was kept
    cell = {"row": 0, "column": 0, "box": [0, 0, 9, 9], "numbers": []}
    table = {"rows": 1, "columns": 1, "cells": [cell]}
    said = {"text": "", "numbers": [], "digits": [], "tables": [table], "model": "default"}
    page.route("**/ask/read", lambda route: route.fulfill(json=said))
    draw(page, 4)
    expect(page.locator("#table")).to_be_visible()
    expect(page.locator("#wrong")).to_be_hidden()


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((1280, 800), "light"),
        ((360, 640), "dark"),
        pytest.param((740, 360), "light", marks=pytest.mark.heavy),
        pytest.param((640, 400), "dark", marks=pytest.mark.heavy),  # 1280x800 at 200 %
    ],
)
def test_the_sheet_fits_the_screen_and_axe_finds_nothing(
    chromium: Browser,
    keeping: Keeping,
    size: tuple[int, int],
    theme: Literal["light", "dark"],
    artifacts: Path,
) -> None:
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page = opened(context, keeping)
    draw(page, 3)
    assert answer(page) == "3"
    page.click("#wrong")
    page.screenshot(path=artifacts / f"feedback-{width}-{theme}.png")
    sheet = page.locator("#feedback")
    assert sheet.evaluate(
        "(sheet) => [sheet.scrollWidth - sheet.clientWidth, sheet.scrollHeight - sheet.clientHeight]"
    ) == [0, 0]
    box = sheet.bounding_box()
    assert box is not None
    assert box["x"] >= 0 <= box["y"]
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    for _ in ("open", "with a refusal"):
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#feedback-said")).to_contain_text("Enter digits")
    context.close()
