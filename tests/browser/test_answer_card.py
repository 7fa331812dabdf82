"""The answer card: nothing moves because of it, answers of any length fit, and half a stroke is not read."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Running, open_page
from tests.browser.hand import LARGE, answer, clear, on_screen
from tests.browser.said import reading, show
from tests.browser.strokes import DIGITS, curve

TEXTS = ["7", "2047", "01725583491", "1" * 40, "12 345 6789", "-3,5 12\n20.7", "1\n2\n3\n4\n5\n6", "?2", "?"]
PARTS = ["#paper", "#clear", "#answer", ".chances", ".sight", ".examples"]
REST = 0.15  # seconds that the pen has to rest until a stroke under way is read


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1280, 800), id="desktop", marks=pytest.mark.heavy),
        pytest.param((360, 640), id="phone"),
    ],
)
def test_nothing_moves_because_of_an_answers_length(
    chromium: Browser, running: Running, size: tuple[int, int]
) -> None:
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    page = open_page(context, running)
    places = []
    for text in TEXTS:
        clear(page)
        show(page, text)
        expect(page.locator("#tiles .tile")).to_have_count(len("".join(text.split())))
        places.append({part: page.locator(part).bounding_box() for part in PARTS})
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if 1 < len(text) < 20 and text.count("\n") < 2:  # longer texts scroll
            assert page.locator("#big").evaluate("(big) => big.scrollHeight - big.clientHeight") <= 1, text
    assert all(place == places[0] for place in places), places
    context.close()


@pytest.mark.heavy
@pytest.mark.parametrize("text", ["1" * 40, "12 345 6789", "1\n2\n3\n4\n5\n6"])
def test_lines_break_only_where_the_paper_has_lines(page: Page, text: str) -> None:
    show(page, text)
    tops = page.evaluate(
        "[...document.querySelectorAll('#big .line')].map("
        "(line) => new Set([...line.querySelectorAll('button')].map((one) => one.offsetTop)).size)"
    )
    assert tops == [1] * len(text.split("\n"))
    words = page.locator("#answer .words").bounding_box()
    card = page.locator("#answer").bounding_box()
    assert words is not None
    assert card is not None
    assert words["width"] > 150
    assert card["y"] <= words["y"]
    assert words["y"] + words["height"] <= card["y"] + card["height"]


@pytest.mark.parametrize(
    ("width", "text", "confidence"),
    [
        (360, "2047", 0.994),
        (1280, "01725583491", 0.6),
        pytest.param(360, "2047", 0.6, marks=pytest.mark.heavy),
        pytest.param(1280, "01725583491", 0.994, marks=pytest.mark.heavy),
    ],
)
def test_labels_of_boxes_do_not_lie_on_one_another(
    chromium: Browser, running: Running, width: int, text: str, confidence: float
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 740})
    page = open_page(context, running)
    said: dict[str, Any] = reading(text)
    step = 600 // len(text)
    for place, mark in enumerate(said["digits"]):
        mark |= {"confidence": confidence, "box": [20 + step * place, 200, 15 + step * (place + 1), 280]}
    page.route("**/ask/read", lambda route: route.fulfill(json=said))
    page.mouse.click(*on_screen(page, [(0.5, 0.5)], LARGE)[0])
    assert answer(page) == text
    labels = page.locator("#marks .mark span")
    assert [label.split()[0] for label in labels.all_inner_texts()] == list(text)
    boxes = [box for label in labels.all() if (box := label.bounding_box())]
    for one, other in combinations(boxes, 2):
        assert one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    if confidence > 0.9:
        assert not any("%" in label for label in labels.all_inner_texts())
    context.close()


def test_a_doubtful_digit_alone_says_how_sure_it_is(page: Page) -> None:
    said: dict[str, Any] = reading("20")
    said["digits"][0]["confidence"] = 0.618
    said["digits"][1]["box"] = [400, 60, 460, 160]
    page.route("**/ask/read", lambda route: route.fulfill(json=said))
    page.mouse.click(*on_screen(page, [(0.5, 0.5)], LARGE)[0])
    assert answer(page) == "20"
    assert page.locator("#marks .mark span").all_inner_texts() == ["2 61 %", "0"]


def test_copy_gives_the_text_as_it_is_shown(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, "-3,5 12\n20.7")
    page.click("#copy")
    expect(page.locator("#took")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "-3,5 12\n20.7"


@pytest.mark.heavy
@pytest.mark.parametrize("digit", [7, pytest.param(5, marks=pytest.mark.heavy)])
def test_a_stroke_under_way_is_read_only_where_the_pen_rests(page: Page, digit: int) -> None:
    page.evaluate(
        """() => {
          window.seen = [];
          const note = (kind, text) => window.seen.push([kind, performance.now() / 1000, text]);
          const canvas = document.querySelector("#canvas");
          for (const kind of ["pointerdown", "pointermove", "pointerup"])
            canvas.addEventListener(kind, () => note(kind, ""));
          const big = document.querySelector("#big");
          const shown = new MutationObserver(() => note("answer", big.dataset.text));
          shown.observe(big, {attributeFilter: ["data-text"]});
        }"""
    )
    for stroke in DIGITS[digit]:
        points = on_screen(page, curve(stroke, steps=12), LARGE)
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()
    assert answer(page) == str(digit)
    reasons, down, last = 0, False, 0.0
    for kind, when, text in page.evaluate("window.seen"):
        if kind == "answer":
            assert reasons > 0, text
            reasons -= 1
            continue
        # A busy machine may delay the mouse for as long as a hand that rests.
        reasons += down and (kind == "pointerup" or when - last > REST - 0.02)
        down = kind == "pointerdown" or (down and kind != "pointerup")
        last = when
