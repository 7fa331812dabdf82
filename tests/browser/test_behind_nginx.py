"""Page and service behind nginx with docs/nginx.conf: TLS, a host name, and a path prefix for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from digits import DEFAULT_MODEL
from tests.browser.conftest import launched
from tests.browser.hand import answer, draw
from tests.browser.nginx import nginx
from tests.browser.processes import ROOT, page_process, service_process
from tests.ports import free_port

NAME = "digits.example.org"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx, without a final slash."""
    folder = tmp_path_factory.mktemp("nginx")
    service_port, page_port, port = free_port(), free_port(), free_port()
    upstreams = {"127.0.0.1:7860": f"127.0.0.1:{page_port}", "127.0.0.1:3000": f"127.0.0.1:{service_port}"}
    settings = {
        "ALLOWED_HOSTS": NAME,
        "PAGE_ROOT_PATH": "/digits",
        "SERVICE_ROOT_PATH": "/digits-api",
        "FORWARDED_ALLOW_IPS": "127.0.0.1",
    }
    with (
        nginx(folder, NAME, port, upstreams),
        service_process(service_port, DEFAULT_MODEL, folder, **settings),
        page_process(page_port, f"http://127.0.0.1:{service_port}", folder, **settings),
    ):
        yield f"https://{NAME}:{port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab; errors on the browser's console fail the test."""
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


@pytest.mark.parametrize("end", ["/digits/", "/digits"])
def test_page_answers_under_its_path(page: Page, address: str, end: str) -> None:
    page.goto(address + end)
    page.wait_for_selector("[data-ready]")
    draw(page, 7)
    assert answer(page) == "7"


def test_dialog_card_and_upload_work_under_the_path(page: Page, address: str) -> None:
    page.goto(f"{address}/digits/")
    page.wait_for_selector("[data-ready]")
    page.click("#about-open")
    expect(page.locator("#about-facts")).to_contain_text("comes with the project")
    with page.expect_popup() as opened:
        page.click("#about-card")
    assert opened.value.url == f"{address}/digits/ask/model/card"
    expect(opened.value.locator("h1")).to_be_visible()
    page.click("#about-close")
    page.set_input_files("#file", ROOT / "ui" / "canvas" / "examples" / "4.png")
    expect(page.locator("#big")).to_have_attribute("data-text", "4")


def test_services_page_asks_under_the_path(page: Page, address: str) -> None:
    page.goto(f"{address}/digits-api/")
    live = page.locator("#operations-Operation-get_livez")
    live.locator(".opblock-summary-control").click()
    live.locator(".try-out__btn").click()
    with page.expect_response("**/livez") as answered:
        live.locator(".execute").click()
    assert answered.value.url == f"{address}/digits-api/livez"
    assert answered.value.ok


def test_page_says_its_public_address_to_those_who_link_to_it(page: Page, address: str) -> None:
    page.goto(f"{address}/digits/")
    image = page.locator("meta[property='og:image']").get_attribute("content")
    assert image == f"{address}/digits/canvas/preview.png"
    assert page.evaluate("address => fetch(address).then(answer => answer.status)", image) == 200
