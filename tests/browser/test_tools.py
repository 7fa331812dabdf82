"""The tools on the page: undo and redo, eraser, brush, themes, download, and all of them by keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from tests.browser.hand import LARGE, Place, answer, draw, draw_stroke, ink_share


def test_undo_and_redo_by_buttons(page: Page) -> None:
    expect(page.locator("#undo")).to_be_disabled()
    draw(page, 1)
    assert answer(page) == "1"
    page.click("#undo")
    assert answer(page) == ""
    assert ink_share(page) == 0
    page.click("#redo")
    assert answer(page) == "1"
    expect(page.locator("#redo")).to_be_disabled()


def test_undo_and_redo_by_keys_bring_back_what_clear_took(page: Page) -> None:
    draw(page, 2)
    assert answer(page) == "2"
    drawn = ink_share(page)
    page.click("#clear")
    assert answer(page) == ""
    page.keyboard.press("Control+z")
    assert answer(page) == "2"
    assert ink_share(page) == drawn
    page.keyboard.press("Control+y")
    assert answer(page) == ""
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    assert answer(page) == ""


def test_brush_width_widens_the_ink(page: Page) -> None:
    draw(page, 1)
    thin = ink_share(page)
    page.click("#clear")
    page.locator("#width").fill("50")
    draw(page, 1)
    assert ink_share(page) > 1.5 * thin


@pytest.mark.heavy
def test_eraser_takes_ink_away_and_the_answer_follows(page: Page) -> None:
    draw(page, 0)
    assert answer(page) == "0"
    before = ink_share(page)
    page.locator("#width").fill("54")
    page.click("#eraser")
    expect(page.locator("#eraser")).to_have_attribute("aria-pressed", "true")
    for x in (0.1, 0.3, 0.5, 0.7, 0.9):
        draw_stroke(page, [(x, -0.1), (x, 1.1)], Place(LARGE.left, LARGE.top, LARGE.height))
    assert ink_share(page) < 0.3 * before
    assert answer(page) != "0"


@pytest.mark.heavy
@pytest.mark.parametrize("blanked", ["#clear", "#undo"])
def test_pen_draws_again_on_a_paper_that_became_blank(page: Page, blanked: str) -> None:
    draw(page, 1)
    page.click("#eraser")
    page.click(blanked)
    expect(page.locator("#pen")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#eraser")).to_have_attribute("aria-pressed", "false")
    draw(page, 7)
    assert answer(page) == "7"


def test_theme_changes_and_is_kept(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    dark = page.evaluate(ground)
    assert light != dark
    page.reload()
    page.wait_for_selector("[data-ready]")
    assert page.evaluate(ground) == dark
    expect(page.locator("#theme")).to_have_attribute("aria-label", "Light theme")


def test_drawing_is_light_on_dark_in_the_dark_theme_and_sent_as_ever(page: Page, tmp_path: Path) -> None:
    draw(page, 1)
    light_shot, light_sent = shot(page, tmp_path / "light.png"), downloaded(page, tmp_path / "a.png")
    page.click("#theme")
    dark_shot, dark_sent = shot(page, tmp_path / "dark.png"), downloaded(page, tmp_path / "b.png")
    assert light_sent == dark_sent
    assert np.asarray(light_shot).min() < 30
    assert np.asarray(dark_shot).max() > 225
    assert middle_of(light_shot.histogram()) > 225
    assert middle_of(dark_shot.histogram()) < 40


def test_download_is_the_drawing_dark_on_light(page: Page, tmp_path: Path) -> None:
    draw(page, 4)
    name = tmp_path / "drawing.png"
    downloaded(page, name)
    with Image.open(name) as image:
        assert image.size == (640, 480)
        grey = image.convert("L")
    assert grey.getpixel((1, 1)) == 255
    left, top, right, bottom = ImageOps.invert(grey).getbbox() or (0, 0, 0, 0)
    assert bottom - top > 0.75 * 480  # the digit was drawn 0.8 of the paper high
    assert right - left < bottom - top


def shot(page: Page, path: Path) -> Image.Image:
    page.locator("#paper").screenshot(path=path)
    with Image.open(path) as image:
        return image.convert("L")


def downloaded(page: Page, path: Path) -> bytes:
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "drawing.png"
    download.value.save_as(path)
    return path.read_bytes()


def middle_of(histogram: list[int]) -> int:
    """The median grey level, which is the paper's, since most of a drawing is paper."""
    half, seen = sum(histogram) / 2, 0
    for level, count in enumerate(histogram):
        seen += count
        if seen >= half:
            return level
    raise AssertionError("an empty histogram")
