"""Accessibility: finger, keyboard, screen reader, both themes, small screens, no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.conftest import FLAGS, Running, open_page
from tests.browser.hand import LARGE, Place, answer, draw, on_screen
from tests.browser.strokes import DIGITS, Stroke, curve

SIZES = {"desktop": (1280, 800), "phone": (390, 844), "small phone": (360, 740)}


@pytest.fixture(params=["small phone", pytest.param("phone", marks=pytest.mark.heavy)])
def phone(chromium: Browser, running: Running, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    yield open_page(context, running)
    context.close()


def touch(session: CDPSession, stroke: Stroke) -> None:
    """Move one finger along a stroke, with real touch events."""
    for i, (x, y) in enumerate(stroke):
        kind = "touchMove" if i else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_finger_draws_and_the_page_does_not_scroll(phone: Page) -> None:
    size = phone.viewport_size
    assert size is not None
    phone.set_viewport_size({"width": size["width"], "height": 500})
    assert phone.evaluate("document.documentElement.scrollHeight > innerHeight")
    session = phone.context.new_cdp_session(phone)
    read = {}
    for digit in (2, 3, 7):
        phone.evaluate("document.querySelector('#clear').click()")
        for stroke in DIGITS[digit]:
            touch(session, on_screen(phone, curve(stroke), LARGE))
        read[digit] = answer(phone)
        assert phone.evaluate("scrollY") == 0
    assert sum(text == str(digit) for digit, text in read.items()) >= 2, read


@pytest.mark.heavy
def test_second_finger_does_not_disturb_the_first(phone: Page) -> None:
    session = phone.context.new_cdp_session(phone)
    points = on_screen(phone, curve(DIGITS[1][0]), LARGE)
    other = {"x": points[0][0] - 60, "y": points[0][1] + 50, "id": 2}
    for i, (x, y) in enumerate(points):
        fingers = [{"x": x, "y": y, "id": 1}] + ([other] if i > 3 else [])
        kind = "touchStart" if i in (0, 4) else "touchMove"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert answer(phone) == "1"


def test_keyboard_alone_draws_recognises_undoes_and_clears(page: Page) -> None:
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "canvas":
            break
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.keyboard.press("Space")
    for _ in range(15):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert answer(page) == "1"
    expect(page.locator("#cursor")).to_be_visible()
    page.keyboard.press("Delete")
    assert answer(page) == ""
    page.keyboard.press("Control+z")
    assert answer(page) == "1"


def test_every_control_can_be_reached_by_tab_and_shows_it(page: Page) -> None:
    draw(page, 1)
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert reached[-1] == "" or outline != "none", reached[-1]
    for name in ("about-open", "theme", "canvas", "pen", "eraser", "width", "undo", "upload", "camera"):
        assert name in reached
    for name in ("download", "clear", "recognise", "why"):
        assert name in reached


def test_screen_reader_hears_the_answer_once_it_rests(page: Page) -> None:
    spoken = page.locator("#spoken")
    expect(spoken).to_have_attribute("aria-live", "polite")
    draw(page, 7)
    expect(spoken).to_contain_text("7. ")
    page.click("#clear")
    expect(spoken).to_be_empty()


@pytest.mark.parametrize(
    ("size", "theme"),
    [  # each size and each theme once; all of them together are heavy
        ("desktop", "light"),
        ("phone", "dark"),
        pytest.param("desktop", "dark", marks=pytest.mark.heavy),
        pytest.param("phone", "light", marks=pytest.mark.heavy),
    ],
)
def test_axe_finds_nothing_in_any_state(
    chromium: Browser, running: Running, theme: Literal["light", "dark"], size: str
) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        reduced_motion="reduce",
    )
    page = open_page(context, running)
    check(page)
    draw(page, 3, Place(0.1, 0.2, 0.5))
    draw(page, 7, Place(0.7, 0.2, 0.5))
    assert answer(page) == "37"
    expect(page.locator("#tiles .tile")).to_have_count(2)
    page.click("#why")
    check(page)
    page.route(
        "**/ask/read", lambda route: route.fulfill(status=429, json={"error": "Busy.", "code": "busy"})
    )
    page.click("#recognise")
    expect(page.locator("#trouble")).to_be_visible()
    check(page)
    page.click("#about-open")
    check(page)
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_model_card(
    chromium: Browser, running: Running, theme: Literal["light", "dark"]
) -> None:
    """The card's HTML on a blank page, because axe cannot run in the card itself, which allows no scripts."""
    page = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    page.set_content((running.model / "card.html").read_text(encoding="utf-8"))
    check(page)
    page.close()


def check(page: Page) -> None:
    """Run axe-core with all its rules."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ("desktop", "light"),
        ("phone", "dark"),
        ("small phone", "light"),
        pytest.param("desktop", "dark", marks=pytest.mark.heavy),
        pytest.param("phone", "light", marks=pytest.mark.heavy),
        pytest.param("small phone", "dark", marks=pytest.mark.heavy),
    ],
)
def test_page_fits_one_screen(
    chromium: Browser, running: Running, artifacts: Path, size: str, theme: Literal["light", "dark"]
) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page = open_page(context, running)
    draw(page, 3)
    assert answer(page) == "3"
    expect(page.locator("#tiles .tile")).to_have_count(1)
    page.screenshot(path=artifacts / f"page-{size}-{theme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if size != "small phone":  # 360x740: narrow, and may be a little longer than the screen
        assert page.evaluate("document.documentElement.scrollHeight") <= height
    assert page.locator("footer").count() == 0
    context.close()


@pytest.mark.heavy
@pytest.mark.parametrize("size", [(740, 360), (640, 400)], ids=["phone", "zoomed"])
def test_where_the_screen_lies_paper_tools_and_answer_stand_beside_one_another(
    chromium: Browser, running: Running, size: tuple[int, int]
) -> None:
    """A phone in landscape, and 1280x800 at 200 %: Clear is visible, and nothing overlaps."""
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    page = open_page(context, running)
    draw(page, 3)
    assert answer(page) == "3"
    parts = ("#paper", ".controls", "#answer")
    paper, controls, card = (box for part in parts if (box := page.locator(part).bounding_box()) is not None)
    assert paper["width"] > 280
    assert paper["x"] + paper["width"] <= controls["x"]
    assert controls["x"] + controls["width"] <= card["x"]
    assert controls["y"] + controls["height"] <= size[1]  # its last button is Clear
    context.close()


def test_page_asks_nobody_but_its_own_server_and_logs_no_error(chromium: Browser, running: Running) -> None:
    """With an empty cache, so that the page fetches everything."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    said: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.goto(running.page_url)
    page.wait_for_selector("[data-ready]")
    draw(page, 5)
    assert answer(page) == "5"
    page.click("#why")
    page.click("#about-open")
    page.wait_for_timeout(500)
    own = (running.page_url, "data:", "blob:")
    assert [address for address in asked if not address.startswith(own)] == []
    assert said == []
    context.close()


@pytest.mark.heavy
def test_forced_colours_leave_paper_and_bars_to_be_seen(page: Page, artifacts: Path) -> None:
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.reload()
    page.wait_for_selector("[data-ready]")
    draw(page, 3)
    assert answer(page) == "3"
    page.screenshot(path=artifacts / "forced-colours.png")
    shown = page.evaluate(
        """() => {
          const colour = (selector) => getComputedStyle(document.querySelector(selector)).backgroundColor;
          return [colour("#bars li.top .track i"), colour("#bars li.top .track"), colour("#paper")];
        }"""
    )
    assert len(set(shown)) == 3, shown  # the paper's own colour, and bars that stand out from their tracks
    assert page.evaluate("getComputedStyle(document.querySelector('#pen')).borderTopWidth") == "2px"


@pytest.mark.heavy
def test_a_larger_font_size_enlarges_the_words_and_overlaps_nothing(
    chromium: Browser, running: Running, artifacts: Path
) -> None:
    flags = [*FLAGS, "--blink-settings=defaultFontSize=24"]  # a setting of the browser: the default is 16
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=flags)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = open_page(context, running)
    draw(page, 3)
    assert answer(page) == "3"
    page.screenshot(path=artifacts / "large-font.png")
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('#verdict')).fontSize)")
    assert size > 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    parts = [page.locator(part).bounding_box() for part in (".words", "#answer", ".chances", ".sight")]
    words, card, bars, sight = (box for box in parts if box is not None)
    assert words["y"] + words["height"] <= card["y"] + card["height"] <= bars["y"]
    last = page.locator("#bars li").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= bars["y"] + bars["height"] <= sight["y"]
    browser.close()
