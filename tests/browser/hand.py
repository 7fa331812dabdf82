"""Drawing on the page with the mouse, and reading its answer."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.strokes import DIGITS, Stroke, curve

ASPECT = 0.62
"""Width of a digit's box over its height."""


@dataclass(frozen=True)
class Place:
    """The place of a digit on the paper: left, top and height relative to the paper's height."""

    left: float
    top: float
    height: float


LARGE = Place(0.4, 0.1, 0.8)
SMALL = Place(0.15, 0.55, 0.3)
OFF_CENTRE = Place(0.8, 0.06, 0.5)


def draw(page: Page, digit: int, place: Place = LARGE) -> None:
    """Draw a digit with the real mouse."""
    for stroke in DIGITS[digit]:
        draw_stroke(page, curve(stroke), place)


def draw_stroke(page: Page, stroke: Stroke, place: Place) -> None:
    points = on_screen(page, stroke, place)
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def on_screen(page: Page, stroke: Stroke, place: Place) -> Stroke:
    """A stroke in pixels of the window."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    size = box["height"]
    return [
        (
            box["x"] + (place.left + x * place.height * ASPECT) * size,
            box["y"] + (place.top + y * place.height) * size,
        )
        for x, y in stroke
    ]


def answer(page: Page) -> str:
    """Wait for the newest answer and return it: digits, `?` for a rejected mark, "" for a blank picture."""
    page.wait_for_selector("#answer[aria-busy=false]")
    return page.locator("#big").get_attribute("data-text") or ""


def clear(page: Page) -> None:
    page.click("#clear")
    page.wait_for_selector("#answer[aria-busy=false]")


def ink_share(page: Page) -> float:
    """The share of the paper that is covered with ink, 0..1."""
    share: float = page.evaluate(
        """() => {
          const canvas = document.querySelector("#canvas");
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let inked = 0;
          for (let i = 3; i < data.length; i += 4) inked += data[i] > 127;
          return inked / (data.length / 4);
        }"""
    )
    return share
