"""The window in process, with a fake answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ui.client import Mark, Reading, ServiceAway
from ui.text import WINDOW

pytest.importorskip(
    "tkinter",
    reason="NO TK: install it (apt-get install python3-tk) to test the window",
    exc_type=ImportError,
)

import tkinter

from ui.desktop import window as module
from ui.desktop.clipboard import NothingToPaste
from ui.desktop.settings import is_dark
from ui.desktop.theme import DARK, LIGHT
from ui.desktop.window import Window

SURE = tuple(0.991 if digit == 7 else 0.001 for digit in range(10))
SEVEN = Mark(7, 0.991, SURE, None, (10, 20, 60, 90))
UNCLEAR = Mark(None, None, (0.1,) * 10, "not_a_digit", (100, 20, 150, 90))
MINUS = Mark(None, None, (0.1,) * 10, None, (0, 50, 8, 55), "-")
POINT = Mark(None, None, (0.1,) * 10, None, (62, 82, 68, 90), ".")


def option(paper: tkinter.Canvas, item: int, name: str) -> str:
    """An option of a canvas item; tkinter's own `itemcget` is untyped."""
    return str(paper.tk.call(str(paper), "itemcget", item, f"-{name}"))


class Opened:
    """A window that is used with Tk's mouse and key events."""

    def __init__(self, root: tkinter.Tk, settings: Path) -> None:
        self.root = root
        self.reading: Reading | Exception = Reading("7", (), (SEVEN,), "12")
        self.pictures: list[bytes] = []
        self.settings = settings
        self.window = Window(root, self.read, settings)

    def read(self, picture: bytes) -> Reading:
        self.pictures.append(picture)
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def stroke(self) -> None:
        paper = self.window._paper.canvas
        paper.event_generate("<ButtonPress-1>", x=100, y=100)
        paper.event_generate("<B1-Motion>", x=100, y=200, state=0x100)
        paper.event_generate("<ButtonRelease-1>", x=100, y=200)

    def until(self, title: str) -> None:
        self.wait(lambda: self.root.title() == title)

    def wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not done():
            assert time.monotonic() < deadline, (self.root.title(), self.words())
            self.root.update()
            time.sleep(0.005)

    def words(self) -> str:
        return str(self.window._answer.words["text"])

    def layout(self) -> tuple[int, ...]:
        """The position of the paper and the size of the window."""
        self.root.update()
        paper = self.window._paper.canvas
        return paper.winfo_x(), paper.winfo_y(), self.root.winfo_width(), self.root.winfo_height()

    def drawn(self, tag: str) -> int:
        return len(self.window._paper.canvas.find_withtag(tag))

    def dashed(self) -> list[bool]:
        """Whether each box on the paper is dashed, from left to right."""
        paper = self.window._paper.canvas
        items = [item for item in paper.find_withtag("mark") if str(paper.type(item)) == "rectangle"]
        return [bool(option(paper, item, "dash")) for item in items if option(paper, item, "outline")]

    def labels(self) -> list[str]:
        """The labels of the boxes on the paper."""
        paper = self.window._paper.canvas
        items = [paper.itemconfigure(item) or {} for item in paper.find_withtag("mark")]
        return [item["text"][-1] for item in items if "text" in item]


@pytest.fixture
def opened(display: str, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tkinter.Tk(screenName=display), tmp_path / "digits" / "window.json")
    opened.root.update()
    yield opened
    opened.window.close()


def test_window_opens_ready(opened: Opened) -> None:
    assert opened.root.title() == "Digits"
    assert opened.words() == WINDOW["ready"]


def test_stroke_is_painted_and_answered(opened: Opened) -> None:
    opened.stroke()
    assert opened.drawn("ink") == 2
    opened.until("7 · Digits")
    assert opened.window._answer.big["text"] == "7"
    assert opened.words() == "99.1 % sure"
    assert opened.window._foot["text"] == "Model 12"
    assert (
        len(opened.window._answer.bars.find_all()) == 31
    )  # ten names, tracks, figures, and the one bar of a pixel


def test_number_has_boxes_on_the_paper(opened: Opened) -> None:
    opened.reading = Reading("7?", (), (SEVEN, UNCLEAR), "")
    opened.stroke()
    opened.until("7? · Digits")
    assert opened.drawn("mark") == 6  # box, label and the label's ground, twice
    assert opened.dashed() == [False, True]
    assert opened.words() == WINDOW["unclear"]
    assert opened.window._foot["text"] == WINDOW["own_model"]


def test_signs_spaces_and_lines_are_shown_as_read(opened: Opened) -> None:
    opened.reading = Reading("-7.7 ?\n7", (), (MINUS, SEVEN, POINT, SEVEN, UNCLEAR, SEVEN), "12")
    opened.stroke()
    opened.until("-7.7 ? / 7 · Digits")
    assert opened.window._answer.big["text"] == "-7.7 ?\n7"
    assert opened.words() == WINDOW["unclear"]
    assert opened.labels() == ["-", "7 · 99.1 %", ".", "7 · 99.1 %", "?", "7 · 99.1 %"]


def test_sign_is_no_unread_mark(opened: Opened) -> None:
    opened.reading = Reading("-7", (), (MINUS, SEVEN), "12")
    opened.stroke()
    opened.until("-7 · Digits")
    assert opened.words() == "99.1 % sure"
    assert opened.labels() == ["-", "7 · 99.1 %"]


def test_empty_sheet_shows_nothing_that_could_be_a_sign(opened: Opened) -> None:
    assert opened.window._answer.big["text"] not in ("-", ".", ",")


def test_undo_and_clear_take_the_answer_back(opened: Opened) -> None:
    opened.stroke()
    opened.stroke()
    opened.until("7 · Digits")
    opened.root.event_generate("<Control-z>")
    assert opened.drawn("ink") == 1
    opened.root.event_generate("<Delete>")
    assert opened.drawn("ink") == 0
    opened.until("Digits")
    assert opened.words() == WINDOW["ready"]


def test_recognise_of_a_blank_sheet_says_so(opened: Opened) -> None:
    opened.reading = Reading("", (), (), "12")
    opened.root.event_generate("<Return>")
    opened.wait(lambda: opened.words() == WINDOW["blank"])


def test_service_away_is_said_and_recovers_by_itself(opened: Opened) -> None:
    opened.reading = ServiceAway("Start the service.", "service_away")
    opened.stroke()
    opened.wait(lambda: opened.words() == "Start the service.")
    assert opened.drawn("ink") == 2
    opened.reading = Reading("7", (), (SEVEN,), "12")
    opened.until("7 · Digits")


@pytest.mark.parametrize(
    "text", ["7\n7", "7\n" * 30 + "7", "7" * 400, "7 " * 60 + "\n7"], ids=["two", "many", "long", "both"]
)
def test_nothing_moves_whatever_is_read(opened: Opened, text: str) -> None:
    before = opened.layout()
    opened.reading = Reading(text, (), (SEVEN,), "a version with a very long name " * 5)
    opened.stroke()
    opened.until(text.replace("\n", " / ") + " · Digits")
    assert opened.layout() == before
    big = opened.window._answer.big
    assert big.winfo_reqwidth() <= big.winfo_width()
    assert big.winfo_reqheight() <= big.winfo_height()
    assert big["justify"] == "left"


def test_nothing_moves_whatever_is_said(opened: Opened) -> None:
    before = opened.layout()
    opened.reading = ServiceAway("Start the service again. " * 30, "service_away")
    opened.stroke()
    opened.wait(lambda: opened.words().startswith("Start"))
    assert opened.layout() == before


def test_redo_brings_back_what_was_undone_and_cleared(opened: Opened) -> None:
    opened.stroke()
    opened.root.event_generate("<Control-z>")
    assert opened.drawn("ink") == 0
    opened.root.event_generate("<Control-y>")
    assert opened.drawn("ink") == 1
    opened.root.event_generate("<Delete>")
    assert opened.drawn("ink") == 0
    opened.root.event_generate("<Control-z>")
    assert opened.drawn("ink") == 1


def test_eraser_takes_away_what_it_goes_over(opened: Opened) -> None:
    opened.stroke()
    opened.window._width.set(48)
    opened.root.event_generate("<e>")
    opened.stroke()
    opened.until("7 · Digits")
    with Image.open(BytesIO(opened.window._drawing.png())) as image:
        assert image.getextrema() == (255, 255)
    paper = opened.window._paper.canvas
    last = paper.find_withtag("ink")[-1]
    assert option(paper, last, "fill") == LIGHT.paper
    assert float(option(paper, last, "width")) == 48


def photo(kind: str = "JPEG") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (1120, 210), "white").save(buffer, kind)
    return buffer.getvalue()


def test_opened_file_is_sent_as_it_is_and_its_boxes_lie_on_it(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo())
    monkeypatch.setattr("tkinter.filedialog.askopenfilename", lambda **_: str(path))
    opened.reading = Reading("7?", (), (SEVEN, UNCLEAR), "12")
    opened.root.event_generate("<Control-o>")
    opened.until("7? · Digits")
    assert opened.pictures == [photo()]
    paper = opened.window._paper.canvas
    box = paper.coords(paper.find_withtag("mark")[0])
    assert box == [5, 157 + 10, 30, 157 + 45]  # half as large, and as far from above as from below
    opened.stroke()
    opened.wait(lambda: len(opened.pictures) > 1 and opened.pictures[-1].startswith(b"\x89PNG"))


def test_what_is_no_picture_leaves_the_drawing(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.stroke()
    opened.until("7 · Digits")
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    for name, sentence in (
        ("notes.txt", "notes.txt cannot be read as a picture. Open a PNG or a JPEG."),
        ("none.png", "Could not open: No such file or directory"),
    ):
        chosen = str(tmp_path / name)
        monkeypatch.setattr("tkinter.filedialog.askopenfilename", lambda chosen=chosen, **_: chosen)
        opened.root.event_generate("<Control-o>")
        assert opened.words() == sentence
        assert opened.drawn("ink") == 2
        assert opened.root.title() == "7 · Digits"


def test_picture_is_pasted(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pasted", lambda _: photo("PNG"))
    opened.root.event_generate("<Control-v>")
    opened.until("7 · Digits")
    assert opened.pictures == [photo("PNG")]


def test_nothing_to_paste_is_said(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: tkinter.Misc) -> bytes:
        raise NothingToPaste(WINDOW["nothing_to_paste"])

    monkeypatch.setattr(module, "pasted", nothing)
    opened.root.event_generate("<Control-v>")
    assert opened.words() == WINDOW["nothing_to_paste"]


def test_theme_is_changed_and_kept(opened: Opened) -> None:
    opened.stroke()
    before = opened.layout()
    paper = opened.window._paper.canvas
    opened.window._theme_button.invoke()
    assert (opened.root["background"], paper["background"]) == (DARK.ground, DARK.paper)
    assert option(paper, paper.find_withtag("ink")[0], "fill") == DARK.ink
    assert is_dark(opened.settings)
    assert opened.layout() == before
    with Image.open(BytesIO(opened.window._drawing.png())) as image:
        assert image.getpixel((0, 0)) == 255  # what is sent stays black on white
    opened.window._drawing.lay(photo())
    opened.window._restart()
    assert paper["background"] == LIGHT.paper
    opened.window._theme_button.invoke()
    assert opened.root["background"] == LIGHT.ground
    assert not is_dark(opened.settings)
