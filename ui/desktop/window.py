"""The desktop window: a sheet to draw on, the answer while one draws, its ten bars."""

from __future__ import annotations

import queue
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import filedialog, ttk

from ui.client import Mark, Reading, ServiceError
from ui.desktop.drawing import BRUSH, HEIGHT, WIDTH, Drawing, save
from ui.desktop.latest import Latest, Outcome, Read
from ui.desktop.words import model_name, words
from ui.text import WINDOW

_LOOK_EVERY = 20  # milliseconds between looks for an answer
_GROUND, _PAPER, _INK, _SOFT, _ACCENT, _TRACK = (
    "#f4f5f8",
    "#ffffff",
    "#000000",
    "#565d6d",
    "#3450c8",
    "#e3e6ee",
)
_BAR, _ROW = 190, 22  # pixels
_LONG = 5  # digits: a longer number is written smaller
_NOTHING = "\N{EN DASH}"  # no minus sign: that is something that can be read


class Window:
    """The window's parts and what they do. `note` stands at its foot until an answer names its model."""

    def __init__(self, root: tk.Tk, read: Read, note: str = "") -> None:
        self._root = root
        self._drawing = Drawing()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._latest = Latest(read, self._outcomes.put)
        self._asked = 0
        self._text = ""
        self._build(note)
        self._bind()
        self._reset()
        self._look()

    def _build(self, note: str) -> None:
        self._root.title(WINDOW["title"])
        self._root.configure(background=_GROUND)
        self._root.resizable(False, False)
        self._paper = tk.Canvas(
            self._root,
            width=WIDTH,
            height=HEIGHT,
            background=_PAPER,
            highlightthickness=0,
            cursor="crosshair",
        )
        self._paper.grid(row=0, column=0, rowspan=3, padx=16, pady=16)
        self._big = tk.Label(self._root, font=("TkDefaultFont", 60, "bold"), background=_GROUND)
        self._big.grid(row=0, column=1, sticky="w", padx=(0, 16), pady=(12, 0))
        self._words = tk.Label(
            self._root, font=("TkDefaultFont", 11), background=_GROUND, foreground=_SOFT, justify="left"
        )
        self._words.configure(wraplength=_BAR + 90, height=3, anchor="nw", width=34)
        self._words.grid(row=1, column=1, sticky="w", padx=(0, 16))
        self._bars = tk.Canvas(
            self._root, width=_BAR + 90, height=10 * _ROW, background=_GROUND, highlightthickness=0
        )
        self._bars.grid(row=2, column=1, sticky="sw", padx=(0, 16), pady=(0, 16))
        self._foot = tk.Label(self._root, text=note, background=_GROUND, foreground=_SOFT)
        self._foot.grid(row=3, column=1, sticky="w", padx=(0, 16), pady=(0, 16))
        self._build_buttons()

    def _build_buttons(self) -> None:
        row = tk.Frame(self._root, background=_GROUND)
        row.grid(row=3, column=0, sticky="we", padx=16, pady=(0, 16))
        style = ttk.Style(self._root)
        style.theme_use("clam")  # the same on every system, and it takes colours
        style.configure("TButton", background=_PAPER, bordercolor=_TRACK, padding=(14, 7), relief="flat")
        style.configure("Main.TButton", background=_ACCENT, foreground=_PAPER, bordercolor=_ACCENT)
        style.map("Main.TButton", background=[("active", "#2a41a5")])
        ttk.Button(row, text=WINDOW["undo"], command=self._undo).pack(side="left", padx=(0, 8))
        ttk.Button(row, text=WINDOW["save"], command=self._save).pack(side="left")
        main = ttk.Button(row, text=WINDOW["recognise"], command=self._recognise, style="Main.TButton")
        main.pack(side="right")
        ttk.Button(row, text=WINDOW["clear"], command=self._clear).pack(side="right", padx=8)

    def _bind(self) -> None:
        self._paper.bind("<ButtonPress-1>", lambda event: self._press(event.x, event.y))
        self._paper.bind("<B1-Motion>", lambda event: self._move(event.x, event.y))
        self._paper.bind("<ButtonRelease-1>", lambda _: self._ask())
        for keys, command in {
            "<Control-z>": self._undo,
            "<Control-s>": self._save,
            "<Delete>": self._clear,
            "<Return>": self._recognise,
        }.items():
            self._on_key(keys, command)
        self._root.protocol("WM_DELETE_WINDOW", self.close)

    def _on_key(self, keys: str, command: Callable[[], None]) -> None:
        self._root.bind(keys, lambda _: command())

    def close(self) -> None:
        """End the asking and the window."""
        self._latest.close()
        self._root.destroy()

    def _press(self, x: int, y: int) -> None:
        self._drawing.begin((x, y))
        self._paint_stroke(self._drawing.strokes[-1])
        self._ask()

    def _move(self, x: int, y: int) -> None:
        if self._drawing.is_blank:  # cleared by a key while the button is down
            return
        self._drawing.extend((x, y))
        self._paint_stroke(self._drawing.strokes[-1][-2:])
        self._ask()

    def _paint_stroke(self, points: list[tuple[float, float]]) -> None:
        line = points if len(points) > 1 else points * 2
        flat = [value for point in line for value in point]
        self._paper.create_line(*flat, width=BRUSH, capstyle="round", joinstyle="round", tags="ink")

    def _undo(self) -> None:
        self._drawing.undo()
        self._paper.delete("ink")
        for stroke in self._drawing.strokes:
            self._paint_stroke(stroke)
        self._ask()

    def _clear(self) -> None:
        self._drawing.clear()
        self._paper.delete("ink")
        self._ask()

    def _recognise(self) -> None:
        self._say("", WINDOW["reading"])
        self._asked = self._latest.ask(self._drawing.png())

    def _save(self) -> None:
        name = filedialog.asksaveasfilename(defaultextension=".png", initialfile="drawing.png")
        if name:
            self._say(self._text, save(self._drawing.png(), Path(name)))

    def _ask(self) -> None:
        if self._drawing.is_blank:
            self._asked = self._latest.forget()
            self._reset()
        else:
            self._asked = self._latest.ask(self._drawing.png())

    def _look(self) -> None:
        """Show what has been answered since the last look; Tk wants its own thread for that."""
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if self._drawing.is_blank and outcome.number < self._asked:
                continue  # about a drawing that has been cleared
            if isinstance(outcome.result, ServiceError):
                self._say("", str(outcome.result))
            else:
                self._show(outcome.result)
        self._root.after(_LOOK_EVERY, self._look)

    def _reset(self) -> None:
        self._say("", WINDOW["ready"])
        self._show_bars(None)
        self._paper.delete("mark")

    def _say(self, text: str, words: str) -> None:
        self._text = text
        title = text.replace("\n", " / ")
        self._root.title(f"{title} · {WINDOW['title']}" if title else WINDOW["title"])
        size = 60 if len(text) <= _LONG else 26
        font = ("TkDefaultFont", size, "bold")
        self._big.configure(text=text or _NOTHING, font=font, foreground=_INK if text else _TRACK)
        self._words.configure(text=words)

    def _show(self, reading: Reading) -> None:
        self._say(reading.text, words(reading))
        sure = [mark for mark in reading.digits if mark.confidence is not None]
        least = min(sure, key=lambda mark: mark.confidence or 0, default=None)
        self._show_bars(least.probabilities if least else None)
        self._paper.delete("mark")
        if len(reading.digits) > 1:
            for mark in reading.digits:
                self._show_box(mark)
        name = model_name(reading.model)
        self._foot.configure(text=name)

    def _show_box(self, mark: Mark) -> None:
        left, top, right, bottom = mark.box
        self._paper.create_rectangle(left, top, right, bottom, outline=_ACCENT, width=2, tags="mark")
        label = mark.text if mark.confidence is None else f"{mark.text} · {int(mark.confidence * 100)}%"
        self._paper.create_text(left, max(top - 9, 8), text=label, fill=_ACCENT, anchor="w", tags="mark")

    def _show_bars(self, probabilities: tuple[float, ...] | None) -> None:
        self._bars.delete("all")
        best = max(probabilities) if probabilities else 2.0
        for digit in range(10):
            share = probabilities[digit] if probabilities else 0.0
            y = digit * _ROW + _ROW // 2
            colour = _ACCENT if share >= best else _SOFT
            self._bars.create_text(6, y, text=str(digit), fill=colour)
            self._bars.create_rectangle(20, y - 6, 20 + _BAR, y + 6, fill=_TRACK, outline="")
            if share * _BAR >= 1:  # Tk draws a line where a rectangle has no width
                self._bars.create_rectangle(20, y - 6, 20 + _BAR * share, y + 6, fill=colour, outline="")
            text = f"{share:.1%}" if probabilities else ""
            self._bars.create_text(_BAR + 80, y, text=text, fill=_SOFT, anchor="e")
