"""The window's command: messages if there can be no window, and reading without a service."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digits import DEFAULT_MODEL, Reader, Reading
from tests.browser.pictures import encoded, picture
from ui.client import ServiceError
from ui.desktop.__main__ import local_read
from ui.text import WINDOW


def desktop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "ui.desktop", *arguments],
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these always have a display")
def test_desktop_without_a_display_says_so() -> None:
    pytest.importorskip(
        "tkinter",
        reason="NO TK: install it (apt-get install python3-tk) to test the window",
        exc_type=ImportError,
    )
    done = desktop()
    assert (done.returncode, done.stderr.strip()) == (2, WINDOW["no_display"])


def test_desktop_without_tk_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "tkinter.py").write_text("raise ImportError('no _tkinter')", encoding="utf-8")
    done = desktop(PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).resolve().parents[3]}")
    assert (done.returncode, done.stderr.strip()) == (2, WINDOW["no_tk"])


def test_desktop_with_an_old_tk_says_so(tmp_path: Path) -> None:
    (tmp_path / "tkinter.py").write_text("TkVersion = 8.5", encoding="utf-8")
    done = desktop(PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).resolve().parents[3]}")
    assert (done.returncode, done.stderr.strip()) == (2, WINDOW["old_tk"].format(version=8.5))


def test_desktop_local_without_a_model_says_what_it_needs(tmp_path: Path) -> None:
    done = desktop("--model", str(tmp_path))
    assert done.returncode == 2
    assert "needs a manifest.json" in done.stderr


def _without_tables(reading: Reading) -> dict[str, Any]:
    """The parts of a reading that the window shows."""
    return {name: part for name, part in asdict(reading).items() if name != "tables"}


def test_local_read_gives_what_digits_gives(model_folder: Path) -> None:
    content = encoded(picture(3))
    reading = local_read(model_folder)(content)
    with Image.open(BytesIO(content)) as image:
        found = Reader.load(model_folder).read(image)
    assert asdict(reading) == _without_tables(found)


def test_local_read_of_no_picture_is_a_refusal(model_folder: Path) -> None:
    with pytest.raises(ServiceError, match="cannot be read"):
        local_read(model_folder)(b"no picture")


def test_local_read_gives_the_numbers_of_several_lines() -> None:
    page = Image.new("L", (300, 400), 255)
    page.paste(picture(3).resize((200, 200)), (50, 0))
    page.paste(picture(7).resize((200, 200)), (50, 200))
    reading = local_read(DEFAULT_MODEL)(encoded(page))
    assert asdict(reading) == _without_tables(Reader.load().read(page))
    assert [number.text for number in reading.numbers] == ["3", "7"]
    assert [number.marks for number in reading.numbers] == [(0,), (1,)]
