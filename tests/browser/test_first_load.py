"""The files that a browser with an empty cache fetches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.load import File, first_load
from tests.browser.processes import page_process
from tests.ports import free_port

OURS = 100_000  # bytes as sent: 93 kB, 37 of them the examples


@pytest.fixture(scope="module")
def load(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[File]]]:
    port = free_port()
    with page_process(port, "http://127.0.0.1:1", tmp_path_factory.mktemp("page")):
        yield first_load(chromium, f"http://127.0.0.1:{port}/")


def test_ours_is_small(load: dict[str, list[File]]) -> None:
    assert len(load["ours"]) > 20
    assert sum(file.sent for file in load["ours"]) <= OURS


def test_no_font_is_fetched(load: dict[str, list[File]]) -> None:
    paths = [file.path for files in load.values() for file in files]
    assert len(paths) > 40
    assert not [path for path in paths if "font" in path or ".woff" in path]


def test_nothing_comes_from_elsewhere(load: dict[str, list[File]]) -> None:
    hosts = {file.path.split("/")[2] for files in load.values() for file in files}
    assert len(hosts) == 1
