"""The answer next to the drawing: the text in large letters, its confidence, and ten bars.

Every part has a fixed size, so that the drawing does not move under the pen when the answer changes.
"""

from __future__ import annotations

import tkinter as tk
from tkinter import font as fonts

from ui.desktop.drawing import HEIGHT
from ui.desktop.theme import Theme
from ui.desktop.words import percent

WIDTH = 280  # pixels
_BIG, _WORDS = 126, 84  # pixels: heights; the bars take the rest
_ROW, _BAR = 21, 190  # pixels: of the bars
_SIZES = (76, 58, 46, 36, 28, 22, 17, 13)
"""Font sizes in pixels; the largest that fits is used for the text."""

_NOTHING = "\N{EN DASH}"  # not a minus sign, which could be an answer
_MORE = "\N{HORIZONTAL ELLIPSIS}"


class AnswerView:
    """A column of 280x420 pixels."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        self.frame = tk.Frame(parent, width=WIDTH, height=HEIGHT)
        self._theme = theme
        self._probabilities: tuple[float, ...] | None = None
        self._font = fonts.nametofont("TkDefaultFont", parent).copy()
        self._font.configure(weight="bold")
        small = fonts.nametofont("TkDefaultFont", parent).copy()
        small.configure(size=-15)
        self.big = tk.Label(
            self.frame, font=self._font, justify="left", anchor="nw", padx=0, pady=0, borderwidth=0
        )
        self.big.place(x=0, y=0, width=WIDTH, height=_BIG)
        self.words = tk.Label(self.frame, font=small, justify="left", anchor="nw", padx=0)
        self.words.configure(wraplength=WIDTH)
        self.words.place(x=0, y=_BIG, width=WIDTH, height=_WORDS)
        self.bars = tk.Canvas(self.frame, highlightthickness=0)
        self.bars.place(x=0, y=_BIG + _WORDS, width=WIDTH, height=10 * _ROW)
        self._small = small
        self.use(theme)

    def use(self, theme: Theme) -> None:
        """Show everything in this theme."""
        self._theme = theme
        for part in (self.frame, self.big, self.words, self.bars):
            part.configure(background=theme.ground)
        self.words.configure(foreground=theme.soft)
        self.big.configure(foreground=theme.text if self.big["text"] != _NOTHING else theme.soft)
        self.chart(self._probabilities)

    def say(self, text: str, words: str) -> None:
        """Show `text` in the largest font with which all lines fit, or a dash if it is empty."""
        shown = text or _NOTHING
        for size in _SIZES:
            self._font.configure(size=-size)
            if self._fits(shown):
                break
        else:
            shown = self._cut(shown)
        colour = self._theme.text if text else self._theme.soft
        self.big.configure(text=shown, foreground=colour)
        self.words.configure(text=words)

    def _fits(self, text: str) -> bool:
        lines = text.split("\n")
        high = self._font.metrics("linespace") * len(lines)
        return high <= _BIG and max(map(self._font.measure, lines)) <= WIDTH

    def _cut(self, text: str) -> str:
        """The text, truncated to the lines and characters that fit, with ellipses."""
        lines = text.split("\n")
        room = _BIG // self._font.metrics("linespace")
        if len(lines) > room:
            lines = [*lines[: room - 1], _MORE]
        return "\n".join(map(self._cut_line, lines))

    def _cut_line(self, line: str) -> str:
        if self._font.measure(line) <= WIDTH:
            return line
        while line and self._font.measure(line + _MORE) > WIDTH:
            line = line[:-1]
        return line + _MORE

    def chart(self, probabilities: tuple[float, ...] | None) -> None:
        """Show ten probabilities (0..1) as bars, the largest in the accent colour; None shows empty bars."""
        self._probabilities = probabilities
        self.bars.delete("all")
        best = max(probabilities) if probabilities else 2.0
        for digit in range(10):
            share = probabilities[digit] if probabilities else 0.0
            y = digit * _ROW + _ROW // 2
            colour = self._theme.accent if share >= best else self._theme.soft
            self.bars.create_text(6, y, text=str(digit), fill=colour, font=self._small)
            self.bars.create_rectangle(20, y - 6, 20 + _BAR, y + 6, fill=self._theme.track, outline="")
            if share * _BAR >= 1:  # Tk would draw a line for a rectangle without width
                self.bars.create_rectangle(20, y - 6, 20 + _BAR * share, y + 6, fill=colour, outline="")
            text = percent(share) if probabilities else ""
            self.bars.create_text(WIDTH, y, text=text, fill=self._theme.soft, anchor="e", font=self._small)
