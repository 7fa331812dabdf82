"""A sheet of paper with printed rules and handwriting, and its appearance: colours, bends, show-through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digits.network.network_input import InkMap

Pixels = NDArray[np.uint8]
"""An RGB picture (height, width, 3)."""

Style = Literal["solid", "dashed", "dotted", "double"]
STYLES: tuple[Style, ...] = get_args(Style)
Edge = Literal["form", "paper", "cut"]
"""What lies beyond a sheet's edge: more paper around a form, a desk around a page, nothing if cropped."""

Colour = tuple[int, int, int]
Point = tuple[float, float]

_FRACTION = 4  # fractional bits of coordinates, so cv2 draws at 1/16 of a pixel
_PENS: tuple[Colour, ...] = ((25, 25, 30), (30, 40, 120), (20, 30, 90), (60, 60, 65), (150, 30, 40))
_PRINTS: tuple[Colour, ...] = (
    (0, 0, 0),
    (40, 40, 40),
    (110, 110, 115),
    (70, 100, 170),
    (190, 70, 70),
    (70, 140, 90),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The look of a printed line: `width` in whole pixels, and `dash`, the period of dashes or dots."""

    width: int
    style: Style = "solid"
    dash: float = 10.0


class Sheet:
    """A sheet with separate layers (height, width).

    `print` is uint8, 0..255; `ink` and `back`, the writing that shows through, are float32, 0..1.
    """

    def __init__(self, width: float, height: float, edge: Edge = "form") -> None:
        """Make an empty sheet of this size in pixels; `edge` says what a photo shows beyond it."""
        self.edge: Edge = edge
        shape = (max(1, round(height)), max(1, round(width)))
        self.print, self.ink = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
        self.back = np.zeros(shape, np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.ink.shape[1], self.ink.shape[0]

    def write(self, ink: InkMap, left: float, top: float) -> None:
        """Write ink with its upper left corner at (`left`, `top`); ink outside the sheet is lost."""
        x, y = round(left), round(top)
        width, height = self.size
        cut = ink[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
        x, y = max(x, 0), max(y, 0)
        part = self.ink[y : y + cut.shape[0], x : x + cut.shape[1]]
        np.maximum(part, cut, out=part)

    def rule(self, start: Point, end: Point, rule: Rule) -> None:
        """Print a line."""
        (x0, y0), (x1, y1) = start, end
        length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-3)
        if rule.style == "double":
            off = (rule.width + 2.0) / 2
            across = (-(y1 - y0) / length * off, (x1 - x0) / length * off)
            for side in (-1, 1):
                move = (side * across[0], side * across[1])
                self._line((x0 + move[0], y0 + move[1]), (x1 + move[0], y1 + move[1]), rule.width)
        elif rule.style == "solid":
            self._line(start, end, rule.width)
        else:
            # With a shorter period, the round ends of the dashes would fill the gaps.
            period = max(rule.dash, 3.0 * rule.width + 3)
            inked = 0.6 * period - rule.width if rule.style == "dashed" else 0.0
            for at in np.arange(0, length, period):
                a, b = at / length, min(at + inked, length) / length
                self._line(
                    (x0 + (x1 - x0) * a, y0 + (y1 - y0) * a),
                    (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b),
                    rule.width + (rule.style == "dotted"),
                )

    def frame(self, left: float, top: float, right: float, bottom: float, rule: Rule) -> None:
        """Print a box."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            self.rule(start, end, rule)

    def words(self, text: str, start: Point, size: float) -> None:
        """Print words in a font of `size` pixels; `start` is the left end of their baseline."""
        paper = Image.fromarray(self.print)
        ImageDraw.Draw(paper).text(start, text, fill=255, font=ImageFont.load_default(size), anchor="ls")
        self.print = np.asarray(paper, np.uint8).copy()

    def cropped(self, left: int, top: int, right: int, bottom: int) -> Self:
        """Crop this many pixels from each side, in place; the new edge is "cut"."""
        self.edge = "cut"
        width, height = self.size
        for name in ("print", "ink", "back"):
            setattr(self, name, getattr(self, name)[top : height - bottom, left : width - right])
        return self

    def padded(self, across: int, down: int) -> Self:
        """Add this many pixels of paper on each side, in place; rules that reach an edge are continued."""
        room = ((down, down), (across, across))
        self.print = np.pad(self.print, room, mode="edge")
        self.ink, self.back = np.pad(self.ink, room), np.pad(self.back, room)
        return self

    def bent(self, amount: float, rng: np.random.Generator) -> Self:
        """Bend the sheet in place by slow waves of at most `amount` pixels, as on a bulging page."""
        width, height = self.size
        y, x = np.mgrid[:height, :width].astype(np.float32)
        phases, waves = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.3, 0.9, 4)
        down = np.sin(2 * np.pi * waves[0] * x / width + phases[0]) + 0.4 * np.sin(
            2 * np.pi * waves[1] * y / height + phases[1]
        )
        right = np.sin(2 * np.pi * waves[2] * y / height + phases[2])
        maps = (x + np.float32(amount / 2) * right, y + np.float32(amount / 1.4) * down)
        maps = (maps[0].astype(np.float32), maps[1].astype(np.float32))
        for name in ("print", "ink", "back"):
            moved = cv2.remap(getattr(self, name), *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            setattr(self, name, moved)
        return self

    def show_through(self, strength: float) -> Self:
        """Show the writing again, pale and rotated by 180 degrees, as if it were on the back of the page."""
        self.back = cv2.GaussianBlur(np.ascontiguousarray(self.ink[::-1, ::-1]), (0, 0), 1.2) * np.float32(
            strength
        )
        return self

    def coloured(self, rng: np.random.Generator) -> Pixels:
        """Return the sheet as a picture with realistic random colours of paper, print and pen."""
        paper = np.clip(rng.integers(228, 256) + rng.integers(-6, 7, 3), 0, 255).astype(np.float32)
        pen = np.array(_PENS[rng.integers(len(_PENS))], np.float32)
        printed = np.array(_PRINTS[rng.integers(len(_PRINTS))], np.float32)
        lines = (self.print * np.float32(rng.uniform(0.7, 1) / 255))[..., None]
        picture = paper + (printed - paper) * lines
        picture += (pen - picture) * self.back[..., None]
        picture += (pen - picture) * self.ink[..., None]
        return np.asarray(picture.round(), np.uint8)

    def _line(self, start: Point, end: Point, width: int) -> None:
        points = [(round(x * 2**_FRACTION), round(y * 2**_FRACTION)) for x, y in (start, end)]
        cv2.line(self.print, points[0], points[1], 255, width, cv2.LINE_AA, _FRACTION)


def some_rule(rng: np.random.Generator, unit: float, styles: tuple[Style, ...] = ("solid",)) -> Rule:
    """Draw the look of a rule for digits `unit` pixels high; its width is 1.5 % to 8 % of that."""
    width = max(1, round(unit * float(np.exp(rng.uniform(np.log(0.015), np.log(0.08))))))
    return Rule(width, styles[rng.integers(len(styles))], dash=max(4.0, unit * rng.uniform(0.12, 0.3)))
