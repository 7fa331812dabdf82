"""A photo on the paper: rotated and cropped by mouse, finger and keys, undone, and sent."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Running, open_page
from tests.browser.hand import Place, answer, draw_stroke, ink_share
from tests.browser.pictures import encoded, picture
from tests.browser.uploads import uploaded, watch

TWO = (600, 300)
"""A size in which a 3 stands on the left half and a 7 on the right."""


def two_digits() -> Image.Image:
    image = Image.new("L", TWO, 235)
    for left, digit in ((0, 3), (300, 7)):
        image.paste(picture(digit, (300, 300)), (left, 0))
    return image


def upload(page: Page, image: Image.Image, kind: str = "PNG") -> bytes:
    watch(page)
    content = encoded(image, kind)
    page.set_input_files("#file", {"name": "a", "mimeType": f"image/{kind.lower()}", "buffer": content})
    expect(page.locator("#photo-tools")).to_be_visible()
    return content


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def corners_of_half(page: Page) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two corners of the right half of a picture of size `TWO` on the paper, in pixels of the window."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    middle, tall = box["y"] + box["height"] / 2, box["width"] / 2
    left, right = box["x"] + 0.5 * box["width"], box["x"] + box["width"] - 1
    return (left, middle - tall / 2 + 1), (right, middle + tall / 2 - 1)


@pytest.fixture
def phone(chromium: Browser, running: Running) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    yield open_page(context, running)
    context.close()


def test_tools_of_photos_are_there_while_a_photo_is(page: Page) -> None:
    tools = page.locator("#photo-tools")
    expect(tools).to_be_hidden()
    upload(page, picture(5))
    page.click("#clear")
    expect(tools).to_be_hidden()
    page.click("#undo")
    expect(tools).to_be_visible()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_photo_that_lies_on_its_side_is_read_when_it_is_turned(page: Page, kind: str) -> None:
    upright = picture(5, (403, 301))
    upload(page, upright.transpose(Image.Transpose.ROTATE_90), kind)
    page.click("#turn-right")
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    turned = opened(uploaded(page))
    assert turned.format == kind
    assert turned.size == upright.size
    difference = np.abs(np.asarray(turned.convert("L"), int) - np.asarray(upright, int))
    assert difference.max() <= (0 if kind == "PNG" else 80)  # a JPEG rings at its edges
    assert difference.mean() < 1


@pytest.mark.heavy
def test_turned_once_round_and_undone_it_is_the_file_again(page: Page) -> None:
    content = upload(page, picture(4, (403, 301)), "JPEG")
    page.click("#turn-left")
    assert opened(uploaded(page)).size == (301, 403)
    page.click("#turn-right")
    assert uploaded(page) == content
    page.click("#undo")
    assert opened(uploaded(page)).size == (301, 403)
    page.click("#undo")
    assert uploaded(page) == content
    expect(page.locator("#big")).to_have_attribute("data-text", "4")


@pytest.mark.heavy
def test_phones_own_turn_of_a_photo_is_kept(page: Page) -> None:
    """A JPEG with EXIF orientation 6 is shown upright, and rotated from there."""
    watch(page)
    stream, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    picture(5, (403, 301)).transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", exif=exif)
    page.set_input_files("#file", {"name": "a", "mimeType": "image/jpeg", "buffer": stream.getvalue()})
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    page.click("#turn-right")
    page.click("#turn-right")
    assert opened(uploaded(page)).size == (403, 301)
    page.click("#turn-right")
    page.click("#turn-right")
    assert uploaded(page) == stream.getvalue()


@pytest.mark.heavy
def test_strokes_on_a_photo_turn_with_it(page: Page) -> None:
    upload(page, Image.new("L", (400, 300), 235))
    draw_stroke(page, [(0, 0), (0, 0.5), (0, 1)], Place(0.3, 0.2, 0.5))  # from the top, left of the middle
    upright = opened(uploaded(page)).convert("L")
    page.click("#turn-left")
    lying = opened(uploaded(page)).convert("L")
    assert upright.size == lying.size == (640, 480)
    assert widest(upright) == "down"
    assert widest(lying) == "across"


def widest(image: Image.Image) -> str:
    rows, columns = np.nonzero(np.asarray(image) < 60)
    return "down" if np.ptp(rows) > np.ptp(columns) else "across"


def test_crop_by_mouse_is_the_part_in_the_files_own_pixels(page: Page) -> None:
    image = two_digits().resize((2400, 1200))
    content = upload(page, image)
    expect(page.locator("#big")).to_have_attribute("data-text", "3 7")
    page.click("#crop-part")
    expect(page.locator("#crop-part")).to_have_attribute("aria-pressed", "true")
    start, end = corners_of_half(page)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    expect(page.locator("#cropper")).to_be_hidden()
    expect(page.locator("#big")).to_have_attribute("data-text", "7")
    part = opened(uploaded(page)).convert("L")
    assert abs(part.width - 1200) < 12
    assert abs(part.height - 1200) < 12
    right = image.crop((2400 - part.width, 0, 2400, 1200)).resize(part.size)
    assert np.abs(np.asarray(part, int) - np.asarray(right, int)).mean() < 4
    page.click("#undo")
    assert uploaded(page) == content


@pytest.mark.heavy
def test_crop_of_a_turned_photo_is_what_one_saw(page: Page) -> None:
    upload(page, two_digits().transpose(Image.Transpose.ROTATE_90))
    page.click("#turn-right")
    expect(page.locator("#big")).to_have_attribute("data-text", "3 7")
    page.click("#crop-part")
    start, end = corners_of_half(page)
    page.mouse.move(*end)  # from the lower right corner to the upper left
    page.mouse.down()
    page.mouse.move(*start, steps=4)
    page.mouse.up()
    expect(page.locator("#big")).to_have_attribute("data-text", "7")


@pytest.mark.heavy
def test_crop_by_keys(page: Page) -> None:
    upload(page, picture(5, (400, 300)))
    before = ink_share(page)
    page.focus("#crop-part")
    page.keyboard.press("Enter")
    expect(page.locator("#cropper")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#cropper")).to_be_hidden()
    expect(page.locator("#crop-part")).to_be_focused()
    assert ink_share(page) == before
    page.keyboard.press("Enter")
    for _ in range(9):
        page.keyboard.press("ArrowLeft")  # up to the photo's edge and no further
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Enter")
    part = opened(uploaded(page))
    assert part.size == (round((0.8 * 640 + 16) / 1.6), round((0.8 * 480 - 4) / 1.6))
    expect(page.locator("#crop-part")).to_be_focused()
    page.keyboard.press("Control+z")
    assert opened(uploaded(page)).size == (400, 300)


def test_crop_by_finger(phone: Page) -> None:
    upload(phone, two_digits())
    expect(phone.locator("#big")).to_have_attribute("data-text", "3 7")
    session = phone.context.new_cdp_session(phone)
    phone.tap("#crop-part")
    start, end = corners_of_half(phone)
    for kind, points in (("touchStart", [start]), ("touchMove", [end]), ("touchEnd", [])):
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    expect(phone.locator("#big")).to_have_attribute("data-text", "7")
    assert phone.evaluate("scrollY") == 0
    phone.keyboard.press("Control+z")
    expect(phone.locator("#big")).to_have_attribute("data-text", "3 7")


@pytest.mark.heavy
def test_crop_by_two_taps(phone: Page) -> None:
    upload(phone, two_digits())
    expect(phone.locator("#big")).to_have_attribute("data-text", "3 7")
    phone.tap("#crop-part")
    for corner in corners_of_half(phone):
        expect(phone.locator("#cropper")).to_be_visible()
        phone.touchscreen.tap(*corner)
    expect(phone.locator("#big")).to_have_attribute("data-text", "7")


@pytest.mark.heavy
def test_crop_ends_when_the_photo_goes(page: Page) -> None:
    upload(page, picture(5))
    page.click("#crop-part")
    page.click("#clear")
    expect(page.locator("#cropper")).to_be_hidden()
    draw_stroke(page, [(0.5, 0), (0.5, 0.5), (0.5, 1)], Place(0.4, 0.1, 0.8))
    assert answer(page) == "1"


@pytest.mark.heavy
def test_photo_that_the_browser_cannot_turn_stays_as_it_was(page: Page) -> None:
    content = upload(page, picture(5))
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    page.evaluate(
        "() => { OffscreenCanvas.prototype.convertToBlob = () => Promise.reject(new Error('memory')); }"
    )
    page.click("#turn-left")
    expect(page.locator("#trouble")).to_contain_text("too large to rotate")
    assert uploaded(page) == content
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    expect(page.locator("#trouble")).to_be_visible()


def test_phone_is_not_told_to_paste_or_drop(phone: Page, page: Page) -> None:
    expect(phone.get_by_text("or take a photo")).to_be_visible()
    expect(phone.get_by_text("paste")).to_be_hidden()
    expect(page.get_by_text("paste")).to_be_visible()
    expect(page.get_by_text("or take a photo")).to_be_hidden()


def test_axe_finds_nothing_with_a_photo_and_its_frame(phone: Page, page: Page) -> None:
    page.click("#theme")
    for one in (phone, page):
        upload(one, picture(5))
        expect(one.locator("#big")).to_have_attribute("data-text", "5")
        for _ in range(2):
            found = Axe().run(one)
            assert found.violations_count == 0, found.generate_report()
            one.click("#crop-part")


def test_everything_of_a_photo_fits_the_screen(phone: Page, page: Page) -> None:
    for one in (phone, page):
        upload(one, picture(5))
        one.click("#crop-part")
        assert one.evaluate("document.documentElement.scrollWidth <= innerWidth")
        tools, clear = one.locator("#photo-tools").bounding_box(), one.locator("#clear").bounding_box()
        assert tools is not None
        assert clear is not None
        assert abs(tools["y"] - clear["y"]) < 60
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
