"""The window's parts in process, with an answer of our own behind them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ui.client import Mark, Reading, ServiceAway
from ui.text import WINDOW

pytest.importorskip(
    "tkinter",
    reason="NO TK: install it (apt-get install python3-tk) to test the window",
    exc_type=ImportError,
)

import tkinter

from ui.desktop.window import Window

SURE = tuple(0.991 if digit == 7 else 0.001 for digit in range(10))
SEVEN = Mark(7, 0.991, SURE, None, (10, 20, 60, 90))
UNCLEAR = Mark(None, None, (0.1,) * 10, "not_a_digit", (100, 20, 150, 90))
MINUS = Mark(None, None, (0.1,) * 10, None, (0, 50, 8, 55), "-")
POINT = Mark(None, None, (0.1,) * 10, None, (62, 82, 68, 90), ".")


class Opened:
    """A window, and a hand at its mouse: Tk's own events."""

    def __init__(self, root: tkinter.Tk) -> None:
        self.root = root
        self.reading: Reading | Exception = Reading("7", (), (SEVEN,), "12")
        self.window = Window(root, self.read)

    def read(self, picture: bytes) -> Reading:
        assert picture.startswith(b"\x89PNG")
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def stroke(self) -> None:
        paper = self.window._paper
        paper.event_generate("<ButtonPress-1>", x=100, y=100)
        paper.event_generate("<B1-Motion>", x=100, y=200, state=0x100)
        paper.event_generate("<ButtonRelease-1>", x=100, y=200)

    def until(self, title: str) -> None:
        self.wait(lambda: self.root.title() == title)

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not done():
            assert time.monotonic() < deadline, (self.root.title(), self.window._words["text"])
            self.root.update()
            time.sleep(0.005)

    def drawn(self, tag: str) -> int:
        return len(self.window._paper.find_withtag(tag))

    def labels(self) -> list[str]:
        """What stands at the boxes on the paper."""
        paper = self.window._paper
        items = [paper.itemconfigure(item) or {} for item in paper.find_withtag("mark")]
        return [item["text"][-1] for item in items if "text" in item]


@pytest.fixture
def opened(display: str) -> Iterator[Opened]:
    opened = Opened(tkinter.Tk(screenName=display))
    opened.root.update()
    yield opened
    opened.window.close()


def test_window_opens_ready(opened: Opened) -> None:
    assert opened.root.title() == "Digits"
    assert opened.window._words["text"] == WINDOW["ready"]


def test_stroke_is_painted_and_answered(opened: Opened) -> None:
    opened.stroke()
    assert opened.drawn("ink") == 2
    opened.until("7 · Digits")
    assert opened.window._big["text"] == "7"
    assert opened.window._words["text"] == "99.1 % sure"
    assert opened.window._foot["text"] == "Model 12"
    assert len(opened.window._bars.find_all()) == 31  # ten names, tracks, figures, and the one bar of a pixel


def test_number_has_boxes_on_the_paper(opened: Opened) -> None:
    opened.reading = Reading("7?", (), (SEVEN, UNCLEAR), "")
    opened.stroke()
    opened.until("7? · Digits")
    assert opened.drawn("mark") == 4
    assert opened.window._words["text"] == WINDOW["unclear"]
    assert opened.window._foot["text"] == WINDOW["own_model"]


def test_signs_spaces_and_lines_are_shown_as_read(opened: Opened) -> None:
    opened.reading = Reading("-7.7 ?\n7", (), (MINUS, SEVEN, POINT, SEVEN, UNCLEAR, SEVEN), "12")
    opened.stroke()
    opened.until("-7.7 ? / 7 · Digits")
    assert opened.window._big["text"] == "-7.7 ?\n7"
    assert opened.window._words["text"] == WINDOW["unclear"]
    assert opened.labels() == ["-", "7 · 99%", ".", "7 · 99%", "?", "7 · 99%"]


def test_sign_is_no_unread_mark(opened: Opened) -> None:
    opened.reading = Reading("-7", (), (MINUS, SEVEN), "12")
    opened.stroke()
    opened.until("-7 · Digits")
    assert opened.window._words["text"] == "99.1 % sure"
    assert opened.labels() == ["-", "7 · 99%"]


def test_empty_sheet_shows_nothing_that_could_be_a_sign(opened: Opened) -> None:
    assert opened.window._big["text"] not in ("-", ".", ",")


def test_undo_and_clear_take_the_answer_back(opened: Opened) -> None:
    opened.stroke()
    opened.stroke()
    opened.until("7 · Digits")
    opened.root.event_generate("<Control-z>")
    assert opened.drawn("ink") == 1
    opened.root.event_generate("<Delete>")
    assert opened.drawn("ink") == 0
    opened.until("Digits")
    assert opened.window._words["text"] == WINDOW["ready"]


def test_recognise_of_a_blank_sheet_says_so(opened: Opened) -> None:
    opened.reading = Reading("", (), (), "12")
    opened.root.event_generate("<Return>")
    opened.wait(lambda: opened.window._words["text"] == WINDOW["blank"])


def test_service_away_is_said_and_recovers_by_itself(opened: Opened) -> None:
    opened.reading = ServiceAway("Start the service.", "service_away")
    opened.stroke()
    opened.wait(lambda: opened.window._words["text"] == "Start the service.")
    assert opened.drawn("ink") == 2
    opened.reading = Reading("7", (), (SEVEN,), "12")
    opened.until("7 · Digits")
