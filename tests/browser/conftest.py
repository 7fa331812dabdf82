"""Service, page and a real Chromium for the tests of this folder; skipped loudly without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.pictures import write_camera
from tests.browser.processes import Process, page_process, service_process
from tests.browser.screen import screen
from tests.ports import free_port

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
CAMERA_DIGIT = 4


@dataclass(frozen=True)
class Running:
    """The service and the page of a test session."""

    service: Process
    service_url: str
    page_url: str
    model: Path


@pytest.fixture(scope="module")  # Playwright's event loop would disturb the tests in other folders
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    camera = tmp_path_factory.mktemp("camera") / "digit.y4m"
    write_camera(camera, CAMERA_DIGIT)
    with launched(f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """A Chromium with these flags in addition to the usual ones."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("NO BROWSER: install chromium (apt-get install chromium) to test the page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def running(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running")
    service_port, page_port = free_port(), free_port()
    service_url = f"http://127.0.0.1:{service_port}"
    service = service_process(service_port, model_folder, folder)
    with service, page_process(page_port, service_url, folder):
        yield Running(service, service_url, f"http://127.0.0.1:{page_port}/", model_folder)


@pytest.fixture(scope="module")
def warm(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser context whose cache all tests of a module share; without it each page takes twice as long."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def context(warm: BrowserContext) -> Iterator[BrowserContext]:
    """A browser context without pages, storage or permissions of other tests."""
    yield warm
    warm.unroute_all()
    warm.clear_permissions()
    warm.clear_cookies()
    for page in warm.pages:
        address = urlsplit(page.url)
        if address.scheme == "http":  # not one of the browser's own pages
            stored = {"origin": f"http://{address.netloc}", "storageTypes": "all"}
            warm.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
        page.close()


@pytest.fixture
def page(context: BrowserContext, running: Running) -> Page:
    """The page, loaded, on a 1280x800 screen."""
    return open_page(context, running)


def open_page(context: BrowserContext, running: Running) -> Page:
    page = context.new_page()
    page.goto(running.page_url)
    page.wait_for_selector("[data-ready]")
    return page


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The folder in which screenshots stay after the tests."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with screen() as name:
        yield name
