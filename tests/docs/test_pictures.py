"""No picture of the page or of the window is older than what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.picture_sources import IMAGES, ROOT, SOURCES, recorded, shown


def test_every_picture_of_page_and_window_is_known() -> None:
    there = {path.name for pattern in ("page-*.png", "window*.png") for path in IMAGES.glob(pattern)}
    assert there == set(SOURCES)


@pytest.mark.parametrize("picture", SOURCES)
def test_picture_shows_what_there_is_now(picture: str) -> None:
    how = (
        "make the window's picture again, then `python -m benchmarks.picture_sources window.png`"
        if picture == "window.png"
        else "`make run`, then `python -m benchmarks.screenshots` makes all pictures of the page again"
    )
    assert recorded().get(picture) == shown(picture), (
        f"docs/images/{picture} is older than what it shows: {how}"
    )


def test_a_change_of_what_a_picture_shows_is_noticed(tmp_path: Path) -> None:
    for folder in ("canvas", "desktop"):
        ignored = shutil.ignore_patterns("__pycache__", "examples")
        shutil.copytree(ROOT / "ui" / folder, tmp_path / "ui" / folder, ignore=ignored)
    shutil.copy2(ROOT / "ui" / "text.py", tmp_path / "ui" / "text.py")
    assert shown("window.png", tmp_path) == shown("window.png")
    (style,) = (tmp_path / "ui" / "canvas").glob("look.css")
    text = style.read_text(encoding="utf-8")
    style.write_text(f"/* a comment */\n{text}\n", encoding="utf-8")
    assert shown("page-phone.png", tmp_path) == shown("page-phone.png"), "it looks as before"
    style.write_text(f"{text}\nbody {{ color: red }}\n", encoding="utf-8")
    assert shown("page-phone.png", tmp_path) != shown("page-phone.png")
    assert shown("window.png", tmp_path) == shown("window.png")
