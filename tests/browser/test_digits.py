"""Digits drawn with the mouse in a real browser, read by the real service."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hand import LARGE, OFF_CENTRE, SMALL, Place, answer, clear, draw, on_screen
from tests.browser.strokes import DIGITS, curve


@pytest.mark.parametrize(
    "place",
    [  # many tests draw large digits
        pytest.param(LARGE, id="large", marks=pytest.mark.heavy),
        pytest.param(SMALL, id="small"),
        pytest.param(OFF_CENTRE, id="off-centre", marks=pytest.mark.heavy),
    ],
)
def test_digits_of_this_size_are_read(page: Page, place: Place, artifacts: Path) -> None:
    read = {}
    for digit in range(10):
        clear(page)
        draw(page, digit, place)
        read[digit] = answer(page)
    page.screenshot(path=artifacts / f"digit-{place.height}.png")
    right = [digit for digit, text in read.items() if text == str(digit)]
    assert len(right) >= 9, read


def test_answer_changes_while_the_button_is_still_down(page: Page) -> None:
    points = on_screen(page, curve(DIGITS[0][0]), LARGE)
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    expect(page.locator("#big")).to_have_attribute("data-text", "0")  # the pen rests
    page.mouse.up()


def test_answer_comes_with_confidence_bars_time_and_what_the_network_saw(page: Page) -> None:
    draw(page, 3)
    assert answer(page) == "3"
    assert page.locator("#detail").inner_text().endswith("%")
    assert page.locator("#took").inner_text().startswith("Answered in ")
    shares = page.locator("#bars .percent").all_inner_texts()
    assert len(shares) == 10
    assert sum(float(share.removesuffix(" %")) for share in shares) == pytest.approx(100, abs=0.6)
    assert page.locator("#bars li.top .name").inner_text() == "3"
    expect(page.locator("#tiles .tile")).to_have_count(1)
    assert _bright_pixels(page) > 30


def test_clear_empties_drawing_and_answer(page: Page) -> None:
    draw(page, 7)
    assert answer(page) == "7"
    clear(page)
    assert answer(page) == ""
    expect(page.locator("#verdict")).to_have_text("The answer appears here")
    expect(page.locator("#prompt")).to_be_visible()
    expect(page.locator("#tiles .tile")).to_have_count(0)
    assert page.evaluate(_INKED) is False


def test_blank_canvas_asks_for_a_digit(page: Page) -> None:
    expect(page.locator("#verdict")).to_have_text("The answer appears here")
    page.click("#recognise")
    expect(page.locator("#verdict")).to_have_text("Nothing to read yet")
    assert answer(page) == ""


_INKED = """() => {
  const canvas = document.querySelector("#canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 === 3 && value > 0);
}"""


def _bright_pixels(page: Page) -> int:
    count: int = page.evaluate("""() => {
      const {data} = document.querySelector("#tiles .tile").getContext("2d").getImageData(0, 0, 28, 28);
      return Array.from({length: 784}, (_, i) => data[4 * i]).filter((light) => light > 128).length;
    }""")
    return count
