"""Pictures of the page for the README: `python -m benchmarks.screenshots [ADDRESS]`.

Service and page must be running (`make run`). Writes docs/images/page-*.png, and the hashes of their sources
into sources.json there.
"""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import picture_sources  # noqa: E402 (the checkout is on the path only now)
from tests.browser.conftest import FLAGS  # noqa: E402 (likewise)
from tests.browser.hand import LARGE, Place, answer, draw  # noqa: E402 (likewise)
from tests.browser.pictures import encoded, photo_of_table  # noqa: E402 (likewise)

DESKTOP, PHONE = (1280, 800), (390, 844)
NUMBER = {
    2: Place(0.06, 0.22, 0.5),
    0: Place(0.4, 0.2, 0.5),
    4: Place(0.72, 0.22, 0.5),
    7: Place(1.02, 0.2, 0.5),
}


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = opened(browser, address, DESKTOP, "light")
        for digit, place in NUMBER.items():
            draw(page, digit, place)
        keep(page, "page-number")
        page = opened(browser, address, DESKTOP, "dark")
        draw(page, 3, LARGE)
        page.click("#why")
        keep(page, "page-why-dark")
        page = opened(browser, address, DESKTOP, "light")
        upload_table(page)
        keep(page, "page-table")
        page = opened(browser, address, PHONE, "light")
        draw(page, 5, Place(0.4, 0.1, 0.8))
        keep(page, "page-phone")
        browser.close()
    picture_sources.record(name for name in picture_sources.SOURCES if name.startswith("page-"))


def opened(browser: Browser, address: str, size: tuple[int, int], theme: Literal["light", "dark"]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page.goto(address)
    page.wait_for_selector("[data-ready]")
    return page


def upload_table(page: Page) -> None:
    """A photo of a table of marks, with one cell selected."""
    numbers = np.random.default_rng(60).integers(1, 1000, (12, 5)).astype(str).tolist()
    photo = encoded(photo_of_table(numbers), "JPEG")
    page.set_input_files("#file", {"name": "marks.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.get_by_label("Row 3, column 2").click()


def keep(page: Page, name: str) -> None:
    """Save a small screenshot once the answer and the network's view are shown."""
    print(f"{name}: {answer(page)}")
    page.wait_for_selector("#tiles .tile, #table-cells input:focus")
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    folder = ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(BytesIO(page.screenshot())) as image:
        image.convert("RGB").quantize(256).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
