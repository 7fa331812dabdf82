"""Input of pictures: upload, paste, drag and drop, camera, examples."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import CAMERA_DIGIT, Running, open_page
from tests.browser.hand import answer, draw
from tests.browser.pictures import encoded, picture

NUMBER = "Example: a handwritten number"


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", *(pytest.param(kind, marks=pytest.mark.heavy) for kind in ("WEBP", "BMP", "GIF"))]
)
def test_upload_is_shown_and_read(page: Page, kind: str) -> None:
    draw(page, 1)
    name, mime = f"digit.{kind.lower()}", f"image/{kind.lower()}"
    content = encoded(picture(5), kind)
    page.set_input_files("#file", {"name": name, "mimeType": mime, "buffer": content})
    expect(page.locator("#big")).to_have_attribute("data-text", "5")
    expect(page.locator("#paper")).to_have_class("paper photo")
    page.keyboard.press("Control+z")
    assert answer(page) == "1"


def test_upload_is_sent_as_it_is(page: Page) -> None:
    content = encoded(picture(3, (1000, 300)), "JPEG")
    page.evaluate("""() => {
      const asked = window.fetch;
      window.fetch = async (address, options) => {
        const bytes = new Uint8Array(await options.body.get("image").arrayBuffer());
        window.sent = btoa(String.fromCharCode(...bytes));
        return asked(address, options);
      };
    }""")
    page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.locator("#big")).to_have_attribute("data-text", "3")
    assert base64.b64decode(page.evaluate("sent")) == content


def test_drawing_on_an_upload_is_read_with_it(page: Page) -> None:
    page.set_input_files(
        "#file", {"name": "blank.png", "mimeType": "image/png", "buffer": encoded(picture(1, ink=235))}
    )
    expect(page.locator("#verdict")).to_have_text("Nothing to read yet")
    draw(page, 7)
    assert answer(page) == "7"


def test_paste_reads_the_picture_in_the_clipboard(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (content) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const blob = new Blob([bytes], {type: "image/png"});
          await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
        }""",
        base64.b64encode(encoded(picture(2))).decode(),
    )
    page.keyboard.press("Control+v")
    expect(page.locator("#big")).to_have_attribute("data-text", "2")


def test_drop_reads_the_picture(page: Page) -> None:
    transfer = page.evaluate_handle(
        """(content) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "digit.png", {type: "image/png"}));
          return transfer;
        }""",
        base64.b64encode(encoded(picture(6))).decode(),
    )
    page.dispatch_event("#canvas", "dragover", {"dataTransfer": transfer})
    expect(page.locator(".drop")).to_be_visible()
    page.dispatch_event("#canvas", "drop", {"dataTransfer": transfer})
    expect(page.locator("#big")).to_have_attribute("data-text", "6")
    expect(page.locator(".drop")).to_be_hidden()


def test_camera_takes_a_photo_and_reads_it(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["camera"])
    page.click("#camera")
    page.wait_for_function("document.querySelector('#video').videoWidth > 0")
    page.click("#shoot-take")
    expect(page.locator("#big")).to_have_attribute("data-text", str(CAMERA_DIGIT))
    assert page.evaluate("document.querySelector('#video').srcObject") is None


@pytest.mark.heavy
def test_camera_that_is_refused_is_said(page: Page) -> None:
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('no')); }")
    page.click("#camera")
    expect(page.locator("#trouble")).to_contain_text("The camera is not available")


def test_examples_are_read(page: Page) -> None:
    buttons = page.locator("#examples button")
    expect(buttons).to_have_count(13)
    read = {}
    for digit in range(10):
        buttons.nth(digit).click()
        read[digit] = answer(page)
    assert sum(text == str(digit) for digit, text in read.items()) >= 9, read


def test_example_of_a_number_is_read_as_a_number(page: Page) -> None:
    page.get_by_title(NUMBER).click()
    expect(page.locator("#marks .mark")).to_have_count(4)
    assert answer(page).isdigit()


@pytest.mark.heavy
def test_example_photo_is_sent_as_it_is_and_read(page: Page) -> None:
    page.get_by_title("Example: a photo of handwritten numbers").click()
    expect(page.locator("#paper")).to_have_class("paper photo")
    lines = answer(page).split("\n")
    assert [len(line) for line in lines] == [3, 4, 3], lines


def test_example_table_is_shown_as_a_table(page: Page) -> None:
    page.get_by_title("Example: a photo of a table").click()
    expect(page.locator("#table")).to_be_visible()
    expect(page.locator("#verdict")).to_have_text("A table of 4 by 3 cells")


@pytest.mark.heavy
def test_example_that_is_still_on_its_way_is_read_when_it_is_there(
    context: BrowserContext, running: Running
) -> None:
    waiting: list[Route] = []
    context.route("**/examples/number.png*", lambda route: waiting.append(route))
    page = open_page(context, running)
    expect(page.locator("#examples button")).to_have_count(13)
    page.get_by_title(NUMBER).click()
    assert waiting
    waiting[0].continue_()
    expect(page.locator("#marks .mark")).to_have_count(4)


@pytest.mark.heavy
def test_example_that_did_not_arrive_is_said_and_comes_with_the_next_try(
    context: BrowserContext, running: Running
) -> None:
    broken = True
    context.route(
        "**/examples/number.png*", lambda route: route.fulfill(status=404) if broken else route.continue_()
    )
    page = open_page(context, running)
    example = page.get_by_title(NUMBER)
    example.click()
    expect(page.locator("#trouble")).to_contain_text("The example failed to load")
    broken = False
    example.click()
    expect(page.locator("#marks .mark")).to_have_count(4)
