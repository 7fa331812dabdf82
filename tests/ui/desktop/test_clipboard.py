"""Pictures from the clipboard: by Tk from a real program on X11; Pillow stands in for other systems."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip(
    "tkinter",
    reason="NO TK: install it (apt-get install python3-tk) to test the window",
    exc_type=ImportError,
)

import tkinter

from ui.desktop.clipboard import NothingToPaste, pasted
from ui.text import WINDOW

OWNER = Path(__file__).parent / "clipboard_owner.py"


@pytest.fixture
def root(display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tkinter.Tk]:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", lambda: None)
    root = tkinter.Tk(screenName=display)
    yield root
    root.destroy()


def png(side: int = 40) -> bytes:
    buffer = BytesIO()
    Image.effect_noise((side, side), 50).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="Tk cannot paste pictures there")
def test_picture_of_another_program_comes_through_tk(root: tkinter.Tk, display: str, tmp_path: Path) -> None:
    path = tmp_path / "copied.png"
    path.write_bytes(png(200))
    with subprocess.Popen(
        [sys.executable, str(OWNER), str(path)],
        env=os.environ | {"DISPLAY": display},
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        try:
            assert owner.stdout
            said = owner.stdout.readline().strip()
            if said == "no X11":
                pytest.skip("NO LIBX11: install it (apt-get install libx11-6) to test the clipboard")
            assert said == "ready"
            assert pasted(root) == path.read_bytes()
        finally:
            owner.terminate()


def test_picture_comes_through_pillow(root: tkinter.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", lambda: Image.new("RGB", (30, 20)))
    with Image.open(BytesIO(pasted(root))) as image:
        assert (image.format, image.size) == ("PNG", (30, 20))


def test_copied_file_comes_as_it_is(
    root: tkinter.Tk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "copied.png"
    path.write_bytes(png())
    names = [str(tmp_path / "gone.png"), str(path)]
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", lambda: names)
    assert pasted(root) == path.read_bytes()


def test_text_is_no_picture(root: tkinter.Tk) -> None:
    root.clipboard_clear()
    root.clipboard_append("2047")
    with pytest.raises(NothingToPaste, match="no picture on the clipboard"):
        pasted(root)


@pytest.mark.parametrize(
    ("wayland", "name"), [("", "nothing_to_paste"), ("wayland-0", "no_clipboard")], ids=["x11", "wayland"]
)
def test_system_without_a_helper_gets_a_sentence(
    root: tkinter.Tk, monkeypatch: pytest.MonkeyPatch, wayland: str, name: str
) -> None:
    def needs_a_helper() -> None:
        raise NotImplementedError("wl-paste or xclip is required")

    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    monkeypatch.setattr("PIL.ImageGrab.grabclipboard", needs_a_helper)
    with pytest.raises(NothingToPaste) as caught:
        pasted(root)
    assert str(caught.value) == WINDOW[name]
