"""One drawing gets the same answer from the page, the window, `--local`, curl and `python -m digits`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Running
from tests.browser.hand import Place, answer, draw
from ui.client import Service
from ui.desktop.__main__ import local_read

DRAWINGS = {"5": [Place(0.3, 0.1, 0.8)], "92": [Place(0.05, 0.2, 0.5), Place(0.7, 0.25, 0.5)]}


@pytest.mark.parametrize("text", [pytest.param("5", marks=pytest.mark.heavy), "92"])
def test_page_window_curl_and_shell_agree(page: Page, running: Running, tmp_path: Path, text: str) -> None:
    for digit, place in zip(text, DRAWINGS[text], strict=True):
        draw(page, int(digit), place)
    assert answer(page) == text
    shown = re.findall(r"[\d.]+", page.locator("#detail").inner_text())
    drawing = tmp_path / "drawing.png"
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(drawing)

    with Service(running.service_url) as service:
        through_service = service.read(drawing.read_bytes())
    alone = local_read(running.model)(drawing.read_bytes())
    through_curl = curl(drawing, running.service_url)
    through_shell = shell(drawing, running.model)

    assert through_service == alone
    assert through_service.text == through_curl["text"] == text
    assert f"{text} (" in through_shell
    confidences = [mark.confidence or 0 for mark in through_service.digits]
    assert confidences == pytest.approx([mark["confidence"] for mark in through_curl["digits"]])
    assert float(shown[-1]) == pytest.approx(min(confidences) * 100, abs=0.1)


def curl(drawing: Path, service: str) -> dict[str, Any]:
    if shutil.which("curl") is None:
        pytest.skip("NO CURL: install it to compare its answer")
    command = ["curl", "--silent", "--form", f"image=@{drawing}", f"{service}/read"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def shell(drawing: Path, model: Path) -> str:
    command = [sys.executable, "-m", "digits", "--model", str(model), str(drawing)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
