"""The real window on a virtual screen: used with xdotool, checked by its title and its pixels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

from tests.browser.conftest import Running
from tests.browser.hand import ASPECT, LARGE, Place
from tests.browser.strokes import DIGITS, curve
from ui.desktop.drawing import HEIGHT

MARGIN = 16  # pixels of the window left of and above its paper
CLEAR_BUTTON = (425, 512)
ACCENT = (52, 80, 200)

if shutil.which("xdotool") is None:
    pytest.skip(
        "NO XDOTOOL: install it (apt-get install xdotool) to test the window", allow_module_level=True
    )

pytest.importorskip(
    "tkinter",
    reason="NO TK: install it (apt-get install python3-tk) to test the window",
    exc_type=ImportError,
)


class Desktop:
    """`python -m ui.desktop` on a display, with that display's mouse and keys."""

    def __init__(self, display: str, arguments: list[str], service: str) -> None:
        self._environment = os.environ | {"DISPLAY": display, "SERVICE_URL": service, "API_KEY": ""}
        self._environment["XDG_CONFIG_HOME"] = os.devnull  # without the settings of this machine's user
        self.display = display
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui.desktop", *arguments], env=self._environment
        )
        self.window = ""
        self.wait(self._found)

    def _found(self) -> bool:
        self.window = self.tool("search", "--onlyvisible", "--class", "Digits")
        return bool(self.window)

    def tool(self, *arguments: object) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def wait(self, done: Callable[[], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"the window says: {self.title()}"
            assert self.process.poll() is None, "the window has closed"
            time.sleep(0.05)

    def title(self) -> str:
        return self.tool("getwindowname", self.window)

    def draw(self, digit: int, place: Place = LARGE) -> None:
        for stroke in DIGITS[digit]:
            points = [
                (
                    round(MARGIN + (place.left + x * place.height * ASPECT) * HEIGHT),
                    round(MARGIN + (place.top + y * place.height) * HEIGHT),
                )
                for x, y in curve(stroke)
            ]
            moves: list[object] = []
            for x, y in points[1:]:
                moves += ["mousemove", "--window", self.window, x, y, "sleep", "0.005"]
            self.tool("mousemove", "--window", self.window, *points[0], "mousedown", 1, *moves, "mouseup", 1)

    def rests(self) -> str:
        """Wait until the answer does not change for a moment, and return it; "" if there is none."""
        last, since = self.title(), time.monotonic()
        while time.monotonic() - since < 0.6:
            time.sleep(0.05)
            if (now := self.title()) != last:
                last, since = now, time.monotonic()
        return last.removesuffix("Digits").removesuffix(" · ")

    def click(self, x: int, y: int) -> None:
        self.tool("mousemove", "--window", self.window, x, y, "click", 1)

    def key(self, name: str) -> None:
        self.tool("windowfocus", self.window, "key", name)

    def grab(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self.display)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def desktop(display: str, running: Running) -> Iterator[Desktop]:
    desktop = Desktop(display, [], running.service_url)
    yield desktop
    desktop.close()


@pytest.fixture(autouse=True)
def empty(desktop: Desktop) -> None:
    desktop.click(*CLEAR_BUTTON)
    desktop.wait(lambda: desktop.title() == "Digits")


def test_window_reads_the_ten_digits(desktop: Desktop, artifacts: Path) -> None:
    read = {}
    for digit in range(10):
        desktop.click(*CLEAR_BUTTON)
        desktop.draw(digit)
        read[digit] = desktop.rests()
    desktop.grab().save(artifacts / "window.png")
    assert sum(text == str(digit) for digit, text in read.items()) >= 9, read


def test_window_reads_a_number_with_boxes(desktop: Desktop, artifacts: Path) -> None:
    plain = count(desktop.grab(), ACCENT)
    desktop.draw(4, Place(0.05, 0.2, 0.5))
    desktop.draw(7, Place(0.6, 0.2, 0.5))
    assert desktop.rests() == "47"
    picture = desktop.grab()
    picture.save(artifacts / "window-number.png")
    assert count(picture, ACCENT) > plain + 1500  # two boxes, 2 pixels wide


def test_window_undo_and_clear_by_keys(desktop: Desktop) -> None:
    desktop.draw(1)
    assert desktop.rests() == "1"
    desktop.key("ctrl+z")
    desktop.wait(lambda: desktop.title() == "Digits")
    desktop.draw(1)
    assert desktop.rests() == "1"
    desktop.key("Delete")
    desktop.wait(lambda: desktop.title() == "Digits")


def test_window_reads_by_itself_with_a_model_folder(display: str, desktop: Desktop, running: Running) -> None:
    desktop.draw(3)
    answer = desktop.rests()
    alone = Desktop(display, ["--local", "--model", str(running.model)], "http://127.0.0.1:9")
    try:
        alone.tool("windowmove", alone.window, 0, 0)
        alone.draw(3)
        assert alone.rests() == answer == "3"
    finally:
        alone.close()


def count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """Pixels of exactly this colour."""
    colours = picture.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    return next((number for number, found in colours if found == colour), 0)
