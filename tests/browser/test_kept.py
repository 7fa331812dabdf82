"""The drawing survives a reload, and input before the page is ready is replayed."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import Running, open_page
from tests.browser.hand import LARGE, Place, answer, draw, draw_stroke, ink_share
from tests.browser.pictures import encoded, picture

KEPT = "sessionStorage.getItem('drawing')"


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_selector("[data-ready]")


def upload(page: Page, content: bytes) -> None:
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
    expect(page.locator("#photo-tools")).to_be_visible()


def keep_in_next_page(page: Page, text: str) -> None:
    """Replace the saved drawing after the page has saved for the last time."""
    page.add_init_script(f"sessionStorage.setItem('drawing', {json.dumps(text)})")


def test_drawing_is_there_after_a_reload_with_undo_and_redo(page: Page) -> None:
    draw(page, 1)
    one = ink_share(page)
    page.click("#clear")
    draw(page, 7)
    seven = ink_share(page)
    draw_stroke(page, [(0, 0), (1, 1)], LARGE)
    page.click("#undo")
    reload(page)
    assert answer(page) == "7"
    assert ink_share(page) == pytest.approx(seven, abs=1e-4)
    page.click("#redo")
    assert ink_share(page) > seven
    for _ in range(3):
        page.click("#undo")
    assert ink_share(page) == pytest.approx(one, abs=1e-4)
    page.click("#undo")
    expect(page.locator("#undo")).to_be_disabled()


def test_photo_is_there_after_a_reload_as_it_was_turned(page: Page) -> None:
    upload(page, encoded(picture(5).transpose(Image.Transpose.ROTATE_90)))
    page.click("#turn-right")
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    page.wait_for_function(f"{KEPT}?.includes('data:image/png')")
    reload(page)
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    expect(page.locator("#paper")).to_have_class("paper photo")
    page.click("#undo")
    page.click("#undo")
    assert answer(page) == ""


@pytest.mark.heavy
def test_example_is_there_after_a_reload(page: Page) -> None:
    page.get_by_title("Example: a handwritten 3").click()
    assert answer(page) == "3"
    reload(page)
    expect(page.locator("#big")).to_have_attribute("data-text", "3")


@pytest.mark.heavy
def test_photo_that_is_too_large_to_be_kept_is_said(page: Page) -> None:
    draw(page, 1)
    noise = Image.frombytes("L", (2000, 1700), random.Random(1).randbytes(3_400_000))
    upload(page, encoded(noise))
    draw_stroke(page, [(0.5, 0), (0.5, 1)], LARGE)
    reload(page)
    expect(page.locator("#trouble")).to_contain_text("The photo was too large to be kept")
    expect(page.locator("#photo-tools")).to_be_hidden()
    assert 0 < ink_share(page) < 0.2  # the stroke on it
    page.click("#undo")
    page.click("#undo")
    assert answer(page) == "1"


@pytest.mark.heavy
def test_second_tab_has_a_drawing_of_its_own(page: Page, context: BrowserContext, running: Running) -> None:
    draw(page, 2)
    reload(page)
    other = open_page(context, running)
    assert ink_share(other) == 0
    draw(other, 7)
    reload(other)
    assert answer(other) == "7"
    assert answer(page) == "2"


def damaged() -> list[Any]:
    """Saved drawings with one fault each."""
    stroke = {"points": [1, 1, 200, 200], "width": 26, "erases": False}
    papers = [{"picture": None, "strokes": []}, {"picture": None, "strokes": [0]}]
    sound = {"form": 1, "at": 1, "strokes": [stroke], "images": [], "pictures": [], "papers": papers}
    part = {"left": 0, "top": 0, "width": 10, "height": 10}
    faults: list[dict[str, Any]] = [
        {"form": 0},
        {"at": 2},
        {"at": "length"},
        {"papers": papers[1:]},
        {"papers": [papers[0], {"picture": None, "strokes": [1]}]},
        {"papers": [papers[0], {"picture": 0, "strokes": []}]},
        {"strokes": [stroke | {"points": [1, 1, 200]}]},
        {"strokes": [stroke | {"points": [1, 1, None, 4]}]},
        {"strokes": [stroke | {"width": "thick"}]},
        {"strokes": None},
        {"images": [{"address": "http://127.0.0.1:9/canvas/examples/3.png"}]},
        {"images": [{"data": "data:image/png;base64,AAAA"}]},
        {"images": [{"data": "no data"}]},
        {"images": [{}], "pictures": [{"image": 1, "part": part, "turns": 0}]},
        {"images": [{}], "pictures": [{"image": 0, "part": part, "turns": 7}]},
    ]
    return ["", "{", "null", *(json.dumps(sound | fault) for fault in faults), json.dumps(sound)]


def errors_of(page: Page) -> list[str]:
    """The errors of the page's scripts, as they occur."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.heavy
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.heavy), 4], ids=["all", "every fourth"])
def test_damaged_and_older_things_are_ignored(context: BrowserContext, running: Running, every: int) -> None:
    *faulty, sound = damaged()
    for text in [*faulty[::every], sound]:
        page = context.new_page()
        said = errors_of(page)
        keep_in_next_page(page, text)
        page.goto(running.page_url)
        page.wait_for_selector("[data-ready]")
        assert (ink_share(page) > 0) == (text == sound), text
        assert said == [], text
        draw(page, 1, Place(0.1, 0.1, 0.8))
        assert ink_share(page) > 0
        page.close()


def held(context: BrowserContext, *names: str) -> list[Route]:
    """The requests for these scripts, which are held until the test releases them."""
    waiting: list[Route] = []
    for name in names:
        context.route(f"**/canvas/{name}", lambda route: waiting.append(route))
    return waiting


@pytest.mark.parametrize("name", ["main.js", "pen.js"])
def test_strokes_before_the_page_is_ready_show_at_once_and_are_read_then(
    context: BrowserContext, running: Running, name: str
) -> None:
    waiting = held(context, name)
    page = context.new_page()
    page.goto(running.page_url)
    page.wait_for_selector("#canvas")
    draw(page, 2)
    early = ink_share(page)
    assert early > 0.02
    expect(page.locator("#prompt")).to_be_hidden()
    loading = "The page is still loading. Keep drawing; your drawing is kept."
    expect(page.locator("#trouble")).to_have_text(loading)
    page.locator(".digits").evaluate("(page) => { if (page.dataset.ready) throw new Error('ready'); }")
    let_go(waiting)
    assert_read(page, "2")
    expect(page.locator("#trouble")).to_be_hidden()
    assert ink_share(page) == pytest.approx(early, rel=0.1)
    page.click("#undo")
    assert ink_share(page) == 0


@pytest.mark.heavy
def test_what_is_done_before_the_page_is_ready_is_done_in_order(
    context: BrowserContext, running: Running
) -> None:
    waiting = held(context, "main.js")
    page = context.new_page()
    page.goto(running.page_url)
    page.wait_for_selector("#canvas")
    draw(page, 3)
    page.click("#clear")
    draw(page, 7)
    page.focus("#canvas")
    page.keyboard.press("Delete")
    draw(page, 1)
    let_go(waiting)
    assert_read(page, "1")
    page.click("#undo")
    page.click("#undo")
    assert_read(page, "7")


@pytest.mark.heavy
def test_stroke_that_is_being_drawn_when_the_page_becomes_ready_goes_on(
    context: BrowserContext, running: Running
) -> None:
    waiting = held(context, "main.js")
    page = context.new_page()
    page.goto(running.page_url)
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.4 * box["height"], steps=4)
    let_go(waiting)
    page.wait_for_selector("[data-ready]")
    page.mouse.move(middle, box["y"] + 0.9 * box["height"], steps=8)
    page.mouse.up()
    page.mouse.move(middle + 100, box["y"] + 0.9 * box["height"], steps=4)
    assert_read(page, "1")
    page.click("#undo")
    assert ink_share(page) == 0


def let_go(waiting: list[Route]) -> None:
    assert waiting, "the script was not asked for"
    for route in waiting:
        route.continue_()


def assert_read(page: Page, text: str) -> None:
    page.wait_for_selector("[data-ready]")
    expect(page.locator("#big")).to_have_attribute("data-text", text)


def test_a_page_of_which_a_part_does_not_arrive_says_so(context: BrowserContext, running: Running) -> None:
    page = context.new_page()
    page.route("**/canvas/answer.js", lambda route: route.abort())
    page.goto(running.page_url)
    expect(page.locator("#trouble")).to_have_text("Part of this page failed to load. Reload the page.")
