"""The answer: numbers with boxes, rejected marks, the network's view, the model."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.hand import Place, answer, draw, draw_stroke
from tests.browser.said import black_field, reading, show

NUMBER = {3: Place(0.08, 0.2, 0.5), 7: Place(0.52, 0.22, 0.5), 0: Place(0.95, 0.2, 0.5)}


def test_number_has_a_box_and_a_confidence_on_each_digit(page: Page, artifacts: Path) -> None:
    for digit, place in NUMBER.items():
        draw(page, digit, place)
    assert answer(page) == "370"
    boxes = page.locator("#marks .mark")
    expect(boxes).to_have_count(3)
    paper = page.locator("#paper").bounding_box()
    assert paper is not None
    for i, (digit, place) in enumerate(NUMBER.items()):
        assert boxes.nth(i).inner_text().split()[0] == str(digit)
        box = boxes.nth(i).bounding_box()
        assert box is not None
        top = (box["y"] - paper["y"]) / paper["height"]
        assert top == pytest.approx(place.top - 0.027, abs=0.03)  # half a brush above the stroke's middle
        assert box["height"] / paper["height"] == pytest.approx(place.height + 0.054, abs=0.05)
    page.screenshot(path=artifacts / "number.png")


@pytest.mark.heavy
def test_number_digits_can_be_looked_at_one_by_one(page: Page) -> None:
    for digit, place in NUMBER.items():
        draw(page, digit, place)
    assert answer(page) == "370"
    expect(page.locator("#tiles .tile")).to_have_count(3)
    page.locator("#big button").nth(1).click()
    expect(page.locator("#big button").nth(1)).to_have_attribute("aria-pressed", "true")
    assert page.locator("#bars li.top .name").inner_text() == "7"
    expect(page.locator("#tiles .tile").nth(1)).to_have_class("tile chosen")


def test_signs_spaces_and_lines_are_shown_as_read(page: Page, artifacts: Path) -> None:
    show(page, "-3,5 12\n20.7")
    words = page.locator("#big .word")
    assert words.all_text_contents() == ["-3,5", "12", "20.7"]
    labels = page.locator("#marks .mark").all_inner_texts()
    assert labels == list("-3,51220.7")
    expect(page.locator("#marks .unclear")).to_have_count(0)
    page.screenshot(path=artifacts / "signs.png")


@pytest.mark.heavy
def test_numbers_stand_apart_and_are_not_torn(page: Page) -> None:
    show(page, "1 2\n3,5 12")
    letters = [box for one in page.locator("#big button").all() if (box := one.bounding_box()) is not None]
    one, two, three, comma, five, first, second = letters
    assert two["x"] > one["x"] + 1.2 * one["width"]
    assert two["y"] == one["y"] < three["y"] == comma["y"] == five["y"]
    assert comma["x"] < three["x"] + 1.1 * three["width"]
    assert first["y"] == second["y"]


def test_sign_is_no_unread_mark(page: Page) -> None:
    show(page, "-7", ["too_small", None])
    expect(page.locator("#verdict")).to_have_text("Quite certain")
    expect(page.locator("#detail")).to_have_text("99.4 %")
    buttons = page.locator("#big button")
    assert [button.get_attribute("aria-label") for button in buttons.all()] == ["minus", "7, 99.4 %"]
    expect(buttons.nth(1)).to_have_attribute("aria-pressed", "true")  # the least sure digit
    expect(page.locator("#spoken")).to_have_text("-7. Quite certain, 99.4 %")
    expect(page.locator("#tiles .tile")).to_have_count(2)
    expect(page.locator("#detail")).to_have_text("99.4 %")  # no hint at how to write a minus
    buttons.nth(0).click()
    assert page.locator("#bars li.top").count() == 0
    assert page.locator("#bars").inner_text().count("%") == 0


@pytest.mark.heavy
def test_unread_mark_beside_a_sign_is_unclear(page: Page) -> None:
    show(page, "-?7 5")
    expect(page.locator("#verdict")).to_have_text("Partly read")
    expect(page.locator("#detail")).to_have_text("One mark (shown as ?) was not read.")
    expect(page.locator("#marks .unclear")).to_have_text("?")
    expect(page.locator("#big button").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#spoken")).to_contain_text("-?7 5. Partly read, One mark (shown as ?) was not read.")
    assert page.locator("#bars").inner_text().count("%") == 0  # the mark was rejected: no digit is likely


@pytest.mark.heavy
def test_sign_alone_is_no_digit(page: Page) -> None:
    show(page, "-", ["too_small"])
    assert page.locator("#big").inner_text() == "-"
    expect(page.locator("#verdict")).to_have_text("Probably not a digit")
    expect(page.locator("#spoken")).to_contain_text("Probably not a digit. Try")
    expect(page.locator("#tiles .tile")).to_have_count(1)
    expect(page.locator("#detail")).to_contain_text("more clearly")
    assert "null" not in page.locator("#page").inner_text()
    assert "Infinity" not in page.locator("#page").inner_text()


@pytest.mark.parametrize(
    ("hint", "sentence"),
    [
        ("too_small", "Draw it larger"),
        pytest.param("too_faint", "very faint", marks=pytest.mark.heavy),
        pytest.param("several_digits", "several digits", marks=pytest.mark.heavy),
        (None, "more clearly"),
    ],
)
def test_mark_that_is_no_digit_is_said_kindly_with_a_hint(
    page: Page, hint: str | None, sentence: str
) -> None:
    seen = {"box": [200, 100, 300, 200], "seen": black_field(), "saliency": [[0.0] * 28] * 28, "hint": hint}
    page.route("**/ask/read", lambda route: route.fulfill(json=reading()))
    page.route("**/ask/explain", lambda route: route.fulfill(json=[seen]))
    draw(page, 8)
    expect(page.locator("#verdict")).to_have_text("Probably not a digit")
    expect(page.locator("#detail")).to_contain_text(sentence)
    assert page.locator("#big").inner_text() == "?"


def test_scribble_is_no_digit(page: Page) -> None:
    zigzag = [(x / 10, (x % 2) * 0.9) for x in range(16)] + [(1.5 - x / 10, (x % 2) * 0.8) for x in range(16)]
    draw_stroke(page, zigzag, Place(0.2, 0.1, 0.8))
    assert "?" in answer(page)


def test_why_colours_the_strokes_and_the_view(page: Page) -> None:
    draw(page, 5)
    assert answer(page) == "5"
    expect(page.locator("#tiles .tile")).to_have_count(1)
    assert not colourful(page, "#tiles .tile")
    page.click("#why")
    expect(page.locator("#legend")).to_be_visible()
    assert colourful(page, "#tiles .tile")
    assert colourful(page, "#marks .heat")
    page.click("#why")
    expect(page.locator("#marks .heat")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.heavy)])
def test_why_shows_what_spoke_for_the_answer_in_the_legends_colour(
    page: Page, theme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.reload()
    page.wait_for_selector("[data-ready]")
    page.locator("#width").fill("54")
    draw(page, 1)
    assert answer(page) == "1"
    page.click("#why")
    expect(page.locator("#marks .heat")).to_have_count(1)
    with Image.open(BytesIO(page.locator("#paper").screenshot())) as image:
        red, _, blue = np.moveaxis(np.asarray(image.convert("RGB"), int), -1, 0)
    orange = np.count_nonzero(red > blue + 60)
    assert orange > 1000
    assert orange > np.count_nonzero(blue > red + 60)  # most strokes support a confident answer


def test_model_says_version_date_and_accuracy(page: Page) -> None:
    manifest = {
        "version": "12",
        "created": "2026-11-20T10:00:00+00:00",
        "git_commit": "0123456789abcdef",
        "metrics": {"test_accuracy": 0.99631, "canvas_accuracy": 0.9871},
        "run_link": "http://127.0.0.1:5000/#/experiments/1/runs/abc",
    }
    page.route("**/ask/model", lambda route: route.fulfill(json=manifest))
    page.reload()
    expect(page.locator("#about-name")).to_have_text("Model 12")
    page.click("#about-open")
    facts = page.locator("#about-facts")
    for text in ("12", "2026", "99.63 %", "98.71 %", "0123456789ab"):
        expect(facts).to_contain_text(text)
    expect(facts.locator("a")).to_have_attribute("href", str(manifest["run_link"]))
    page.keyboard.press("Escape")
    expect(facts).to_be_hidden()


@pytest.mark.heavy
def test_model_without_a_running_mlflow_has_no_link(page: Page) -> None:
    page.click("#about-open")
    expect(page.locator("#about-facts dt").first).to_have_text("Version")
    expect(page.locator("#about-facts a")).to_have_count(0)


def test_model_has_a_card_with_its_pictures(page: Page, artifacts: Path) -> None:
    page.click("#about-open")
    with page.expect_popup() as opened:
        page.click("#about-card")
    card = opened.value
    expect(card.locator("h1")).to_contain_text("Model card: digits")
    expect(card.locator("img")).to_have_count(3)
    shown = "(images) => images.every((one) => one.complete && one.naturalWidth > 100)"
    assert card.locator("img").evaluate_all(shown), "the page's own content policy would block the pictures"
    assert card.locator("main").evaluate("(main) => getComputedStyle(main).maxWidth") == "736px"
    card.screenshot(path=artifacts / "card.png", full_page=True)
    card.set_viewport_size({"width": 390, "height": 844})
    assert card.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.heavy
def test_model_of_a_person_has_no_card(page: Page) -> None:
    page.route("**/ask/model", lambda route: route.fulfill(json={"version": "", "created": ""}))
    page.reload()
    page.click("#about-open")
    expect(page.locator("#about-facts")).to_contain_text("Your own model")
    expect(page.locator("#about-card")).to_be_hidden()


def colourful(page: Page, selector: str) -> bool:
    """Whether a canvas has coloured pixels, whose red and blue differ."""
    found: bool = page.evaluate(
        """(selector) => {
          const canvas = document.querySelector(selector);
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i] - data[i + 2]) > 40) return true;
          return false;
        }""",
        selector,
    )
    return found
