"""The desktop window: a canvas, its tools and the live answer."""

# See docs/decisions/window.md.
from __future__ import annotations

import queue
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import filedialog, ttk
from typing import Literal

from ui.client import Reading, ServiceError
from ui.desktop.answer import WIDTH as COLUMN
from ui.desktop.answer import AnswerView
from ui.desktop.clipboard import NothingToPaste, pasted
from ui.desktop.drawing import BRUSH, ON_PAPER, THICK, THIN, Drawing, NotAPicture, save
from ui.desktop.latest import Latest, Outcome, Read
from ui.desktop.paper import Paper
from ui.desktop.settings import is_dark, keep
from ui.desktop.theme import DARK, LIGHT, use
from ui.desktop.words import model_name, words
from ui.text import WINDOW

_LOOK_EVERY = 20  # milliseconds between checks for an answer
_EDGE = 16  # pixels around the canvas
_PICTURES = "*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff"


class Window:
    """The parts of the window and their behaviour.

    `settings`: the settings file. `note`: text at the foot of the window until an answer's model replaces it.
    """

    def __init__(self, root: tk.Tk, read: Read, settings: Path, note: str = "") -> None:
        self._root = root
        self._settings = settings
        self._drawing = Drawing()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._latest = Latest(read, self._outcomes.put)
        self._asked = 0  # number of the newest request
        self._since = 0  # number of the first request about the current drawing
        self._place = ON_PAPER  # of the newest request's picture
        self._text = ""
        self._erases = tk.BooleanVar(root)
        self._width = tk.IntVar(root, BRUSH)
        self._dark = is_dark(settings)
        self._build(note)
        self._bind()
        self._colour()
        self._reset()
        self._look()

    def _build(self, note: str) -> None:
        self._root.title(WINDOW["title"])
        self._root.resizable(False, False)
        theme = DARK if self._dark else LIGHT
        self._paper = Paper(self._root, self._drawing, theme)
        self._paper.canvas.grid(row=0, column=0, padx=_EDGE, pady=_EDGE)
        self._answer = AnswerView(self._root, theme)
        self._answer.frame.grid(row=0, column=1, sticky="n", padx=(0, _EDGE), pady=_EDGE)
        self._rows = [tk.Frame(self._root) for _ in range(2)]
        for number, row in enumerate(self._rows, 1):
            row.grid(row=number, column=0, sticky="we", padx=_EDGE, pady=(0, 8 if number == 1 else _EDGE))
        self._build_tools(*self._rows)
        self._foot = tk.Label(self._root, text=note, anchor="w", width=1, padx=0)
        self._foot.grid(row=2, column=1, sticky="we", padx=(0, _EDGE), pady=(0, _EDGE))
        self._theme_button = ttk.Button(self._root, command=self._change_theme, width=11)
        self._theme_button.grid(row=1, column=1, sticky="w", pady=(0, 8))
        self._root.columnconfigure(1, minsize=COLUMN + _EDGE)

    def _build_tools(self, first: tk.Frame, second: tk.Frame) -> None:
        eraser = ttk.Checkbutton(
            first,
            text=WINDOW["eraser"],
            style="Toolbutton",
            variable=self._erases,
            command=self._show_tool,
        )
        eraser.pack(side="left", padx=(0, 16))
        self._width_name = tk.Label(first, text=WINDOW["width"])
        self._width_name.pack(side="left", padx=(0, 6))
        self._slider = tk.Scale(
            first,
            from_=THIN,
            to=THICK,
            length=140,
            variable=self._width,
            orient="horizontal",
            showvalue=False,
        )
        self._slider.configure(borderwidth=0, highlightthickness=2, sliderrelief="flat", width=12)
        self._slider.pack(side="left")
        self._redo_button = _button(first, "redo", self._redo, "right")
        self._undo_button = _button(first, "undo", self._undo, "right", 8)
        _button(second, "open", self._open, "left", 8)
        _button(second, "paste", self._paste, "left", 8)
        _button(second, "save", self._save, "left")
        _button(second, "recognise", self._recognise, "right", style="Main.TButton")
        _button(second, "clear", self._clear, "right", 8)

    def _bind(self) -> None:
        canvas = self._paper.canvas
        canvas.bind("<ButtonPress-1>", lambda event: self._press(event.x, event.y))
        canvas.bind("<B1-Motion>", lambda event: self._move(event.x, event.y))
        canvas.bind("<ButtonRelease-1>", lambda _: self._ask())
        mac = self._root.tk.call("tk", "windowingsystem") == "aqua"
        control = "Command" if mac else "Control"
        for keys, command in {
            f"<{control}-z>": self._undo,
            f"<{control}-y>": self._redo,
            f"<{control}-Shift-Z>": self._redo,
            f"<{control}-o>": self._open,
            f"<{control}-v>": self._paste,
            f"<{control}-s>": self._save,
            "<e>": self._change_tool,
            "<Delete>": self._clear,
            "<Return>": self._recognise,
        }.items():
            self._on_key(keys, command)
        self._root.protocol("WM_DELETE_WINDOW", self.close)

    def _on_key(self, keys: str, command: Callable[[], None]) -> None:
        self._root.bind(keys, lambda _: command())

    def close(self) -> None:
        """Stop the requests and close the window."""
        self._latest.close()
        self._root.after_cancel(self._next_look)
        self._root.destroy()

    def _colour(self) -> None:
        theme = DARK if self._dark else LIGHT
        use(theme, self._root)
        self._root.configure(background=theme.ground)
        for row in self._rows:
            row.configure(background=theme.ground)
        for label in (self._width_name, self._foot):
            label.configure(background=theme.ground, foreground=theme.soft)
        self._slider.configure(
            background=theme.soft,
            activebackground=theme.accent,
            troughcolor=theme.track,
            highlightbackground=theme.ground,
            highlightcolor=theme.accent,
        )
        self._theme_button.configure(text=WINDOW["light" if self._dark else "dark"])
        self._paper.use(theme)
        self._answer.use(theme)

    def _change_theme(self) -> None:
        self._dark = not self._dark
        keep(self._settings, dark=self._dark)
        self._colour()

    def _change_tool(self) -> None:
        self._erases.set(not self._erases.get())
        self._show_tool()

    def _show_tool(self) -> None:
        self._paper.canvas.configure(cursor="dotbox" if self._erases.get() else "crosshair")

    def _press(self, x: int, y: int) -> None:
        stroke = self._drawing.begin((x, y), self._width.get(), erases=self._erases.get())
        self._paper.stroke(stroke)
        self._ask()

    def _move(self, x: int, y: int) -> None:
        stroke = self._drawing.extend((x, y))
        if stroke is None:  # cleared by a key while the button is down
            return
        self._paper.stroke(stroke, last=2)
        self._ask()

    def _undo(self) -> None:
        self._drawing.undo()
        self._restart()

    def _redo(self) -> None:
        self._drawing.redo()
        self._restart()

    def _clear(self) -> None:
        self._drawing.clear()
        self._restart()

    def _open(self) -> None:
        kinds = [(WINDOW["pictures"], _PICTURES), (WINDOW["all_files"], "*")]
        name = filedialog.askopenfilename(parent=self._root, filetypes=kinds)
        if not name:
            return
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            self._say(self._text, WINDOW["not_opened"].format(reason=error.strerror))
            return
        self._lay(content, Path(name).name)

    def _paste(self) -> None:
        try:
            self._lay(pasted(self._root), WINDOW["clipboard"])
        except NothingToPaste as nothing:
            self._say(self._text, str(nothing))

    def _lay(self, content: bytes, name: str) -> None:
        try:
            self._drawing.lay(content)
        except NotAPicture:
            self._say(self._text, WINDOW["not_a_picture"].format(name=name))
            return
        self._restart()

    def _recognise(self) -> None:
        self._say("", WINDOW["reading"])
        content, self._place = self._drawing.sent()
        self._asked = self._latest.ask(content)

    def _save(self) -> None:
        name = filedialog.asksaveasfilename(
            parent=self._root, defaultextension=".png", initialfile="drawing.png"
        )
        if name:
            self._say(self._text, save(self._drawing.png(), Path(name)))

    def _restart(self) -> None:
        """The drawing is another one, so show it and ignore answers about the previous one."""
        self._paper.paint()
        self._paper.mark((), self._place)
        self._ask()
        self._since = self._asked

    def _ask(self) -> None:
        self._show_steps()
        if self._drawing.is_blank:
            self._asked = self._since = self._latest.cancel()
            self._reset()
            return
        content, place = self._drawing.sent()
        self._asked = self._latest.ask(content)
        if place != self._place:  # the first stroke on a picture, which moves the boxes
            self._place, self._since = place, self._asked
            self._paper.mark((), place)

    def _look(self) -> None:
        """Show the answers since the last call. Runs in Tk's thread, as Tk requires."""
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if outcome.number < self._since:
                continue
            if isinstance(outcome.result, ServiceError):
                self._say("", str(outcome.result))
            else:
                self._show(outcome.result)
        self._next_look = self._root.after(_LOOK_EVERY, self._look)

    def _reset(self) -> None:
        self._say("", WINDOW["ready"])
        self._answer.chart(None)
        self._paper.mark((), self._place)
        self._show_steps()

    def _show_steps(self) -> None:
        for button, there in (
            (self._undo_button, self._drawing.can_undo),
            (self._redo_button, self._drawing.can_redo),
        ):
            button.state(["!disabled" if there else "disabled"])

    def _say(self, text: str, words: str) -> None:
        self._text = text
        title = text.replace("\n", " / ")
        self._root.title(f"{title} · {WINDOW['title']}" if title else WINDOW["title"])
        self._answer.say(text, words)

    def _show(self, reading: Reading) -> None:
        self._say(reading.text, words(reading))
        sure = [mark for mark in reading.digits if mark.confidence is not None]
        least = min(sure, key=lambda mark: mark.confidence or 0, default=None)
        self._answer.chart(least.probabilities if least else None)
        self._paper.mark(reading.digits if len(reading.digits) > 1 else (), self._place)
        self._foot.configure(text=model_name(reading.model))


def _button(
    row: tk.Frame,
    name: str,
    command: Callable[[], None],
    side: Literal["left", "right"],
    gap: int = 0,
    style: str = "TButton",
) -> ttk.Button:
    """A button with the text called `name`; `gap` in pixels to the next button of the row."""
    button = ttk.Button(row, text=WINDOW[name], command=command, style=style, width=0)
    button.pack(side=side, padx=(0, gap))
    return button
