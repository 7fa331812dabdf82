"""The service's Swagger page: a picture is chosen there, sent and answered."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Running
from tests.browser.pictures import picture


def test_a_picture_can_be_tried_on_the_page_of_addresses(
    context: BrowserContext, running: Running, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    picture(7).save(photo)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(running.service_url)
    predict = page.locator("#operations-Pictures-predict")
    predict.locator(".opblock-summary").click()
    predict.get_by_role("button", name="Try it out").click()
    predict.locator("input[type=file]").set_input_files(photo)
    predict.get_by_role("button", name="Execute").click()
    answered = predict.locator(".live-responses-table")
    expect(answered.locator("tbody .response-col_status").first).to_have_text("200")
    expect(answered.locator("tbody")).to_contain_text('"digit": 7')
    assert faults == []
