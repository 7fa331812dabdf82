"""A screen for the window's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.screen import screen


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    with screen() as name:
        yield name
