"""What has been drawn in the window, as strokes, and the picture that they make: no screen is grabbed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from ui.text import WINDOW

WIDTH, HEIGHT = 560, 420
BRUSH = 22
"""Pixels: the pen's width."""

_FINER = 2  # strokes are drawn this much larger and shrunk, which gives them smooth edges

Point = tuple[float, float]


class Drawing:
    """Strokes on white paper, 560x420 pixels; the last one can be taken back."""

    def __init__(self) -> None:
        self.strokes: list[list[Point]] = []

    @property
    def is_blank(self) -> bool:
        return not self.strokes

    def begin(self, point: Point) -> None:
        """Put the pen down."""
        self.strokes.append([point])

    def extend(self, point: Point) -> None:
        """Move the pen that is down."""
        self.strokes[-1].append(point)

    def undo(self) -> None:
        """Take the last stroke back, if there is one."""
        if self.strokes:
            self.strokes.pop()

    def clear(self) -> None:
        """Take all strokes back."""
        self.strokes.clear()

    def image(self) -> Image.Image:
        """The drawing, black (0) on white (255), mode "L"."""
        fine = Image.new("L", (WIDTH * _FINER, HEIGHT * _FINER), 255)
        pen = ImageDraw.Draw(fine)
        for stroke in self.strokes:
            points = [(x * _FINER, y * _FINER) for x, y in stroke]
            radius = BRUSH * _FINER / 2
            pen.line(points, fill=0, width=BRUSH * _FINER)
            for x, y in points:  # round ends and joints
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
        return fine.reduce(_FINER)

    def png(self) -> bytes:
        """The drawing as the bytes of a PNG: what is sent, and what is saved."""
        buffer = BytesIO()
        self.image().save(buffer, "PNG")
        return buffer.getvalue()


def save(png: bytes, path: Path) -> str:
    """Write a drawing, whole or not at all; gives the sentence that says what came of it.

    `ui` imports nothing of the other packages, so this cannot be `pipeline.project.files`.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(png)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        return WINDOW["not_saved"].format(reason=error.strerror)
    return WINDOW["saved"].format(name=path.name)
