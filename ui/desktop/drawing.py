"""The drawing of the window as a list of steps, from which Pillow renders the picture."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageOps

from ui.text import WINDOW

WIDTH, HEIGHT = 560, 420
BRUSH, THIN, THICK = 22, 6, 48
"""The pen's initial, smallest and largest width in pixels."""

_FINER = 2  # oversampling factor, which gives strokes smooth edges

Point = tuple[float, float]


class NotAPicture(Exception):
    """Bytes that Pillow cannot read as a picture."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line by the pen or the eraser; `width` in pixels."""

    points: list[Point]
    width: int
    erases: bool


class Place(NamedTuple):
    """The position of a picture on the paper: pixel (x, y) is at (left + scale * x, top + scale * y)."""

    left: float
    top: float
    scale: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on the paper: its file's bytes, and its rendering (mode RGB, larger by `_FINER`)."""

    content: bytes
    fine: Image.Image
    place: Place

    def shown(self) -> bytes:
        """The picture as a PNG, in its size on the paper."""
        return _png(self.fine.reduce(_FINER))


class Cleared:
    """A step that clears the paper; undoing it restores what was there."""


Step = Stroke | Picture | Cleared


class Sent(NamedTuple):
    """A picture for the service: its bytes, and its position on the paper."""

    content: bytes
    place: Place


ON_PAPER = Place(0, 0, 1)


class Drawing:
    """Strokes and pictures on white paper, 560x420 pixels; every step can be undone and redone."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._stroke: Stroke | None = None

    @property
    def visible(self) -> list[Step]:
        """The steps since the paper was last cleared, in order."""
        cleared = [place for place, step in enumerate(self._done) if isinstance(step, Cleared)]
        return self._done[cleared[-1] + 1 if cleared else 0 :]

    @property
    def is_blank(self) -> bool:
        return all(isinstance(step, Stroke) and step.erases for step in self.visible)

    @property
    def has_picture(self) -> bool:
        return any(isinstance(step, Picture) for step in self.visible)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def begin(self, point: Point, width: int = BRUSH, *, erases: bool = False) -> Stroke:
        """Put the pen or the eraser down; returns the new stroke."""
        self._stroke = Stroke([point], width, erases)
        self._do(self._stroke)
        return self._stroke

    def extend(self, point: Point) -> Stroke | None:
        """Move the pen that is down; returns its stroke, or None if it has been undone meanwhile."""
        if self._stroke is not None:
            self._stroke.points.append(point)
        return self._stroke

    def lay(self, content: bytes) -> None:
        """Clear the paper and put a picture on it, as large as fits; raises `NotAPicture`."""
        picture = _picture(content)
        self.clear()
        self._do(picture)

    def undo(self) -> None:
        """Undo the last step, if there is one."""
        self._stroke = None
        if self._done:
            self._undone.append(self._done.pop())

    def redo(self) -> None:
        """Redo the step that was undone last, if nothing has been done since."""
        if self._undone:
            self._done.append(self._undone.pop())

    def clear(self) -> None:
        """Clear the paper."""
        self._stroke = None
        if self.visible:
            self._do(Cleared())

    def _do(self, step: Step) -> None:
        self._undone.clear()
        self._done.append(step)

    def image(self) -> Image.Image:
        """The drawing, 560x420 pixels, black (0) on white (255), mode "L"."""
        fine = Image.new("L", (WIDTH * _FINER, HEIGHT * _FINER), 255)
        for step in self.visible:
            if isinstance(step, Stroke):
                _draw(fine, step)
            elif isinstance(step, Picture):
                left, top, _ = step.place
                fine.paste(step.fine.convert("L"), (round(left * _FINER), round(top * _FINER)))
        return fine.reduce(_FINER)

    def png(self) -> bytes:
        """The drawing as a PNG."""
        return _png(self.image())

    def sent(self) -> Sent:
        """The picture to read: the original file if nothing is drawn on it, else the drawing."""
        match self.visible:
            case [Picture(content=content, place=place)]:
                return Sent(content, place)
        return Sent(self.png(), ON_PAPER)


def _draw(fine: Image.Image, stroke: Stroke) -> None:
    pen = ImageDraw.Draw(fine)
    points = [(x * _FINER, y * _FINER) for x, y in stroke.points]
    width, colour = stroke.width * _FINER, 255 if stroke.erases else 0
    pen.line(points, fill=colour, width=width)
    for x, y in points:  # round ends and joints
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _picture(content: bytes) -> Picture:
    try:
        with Image.open(BytesIO(content)) as image:
            upright = _on_white(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's decoders raise many types for damaged files
        raise NotAPicture from error
    scale = min(WIDTH / upright.width, HEIGHT / upright.height)
    width, height = (max(1, round(side * scale)) for side in upright.size)
    fine = upright.resize((width * _FINER, height * _FINER), Image.Resampling.BICUBIC, reducing_gap=2)
    return Picture(content, fine, Place((WIDTH - width) // 2, (HEIGHT - height) // 2, scale))


def _on_white(image: Image.Image) -> Image.Image:
    """The picture as RGB on white; for 16- and 32-bit pictures, the brightest pixel becomes white."""
    if image.mode.startswith(("I", "F")):
        brightest = image.getextrema()[1]
        share = 255 / brightest if isinstance(brightest, int | float) and brightest > 0 else 1
        return image.convert("F").point(lambda light: light * share + 0).convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def save(png: bytes, path: Path) -> str:
    """Write a drawing atomically and return a status message.

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
