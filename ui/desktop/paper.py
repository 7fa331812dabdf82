"""The window's canvas: it shows the drawing, and boxes around the marks that were read."""

from __future__ import annotations

import tkinter as tk

from ui.client import Mark
from ui.desktop.drawing import HEIGHT, WIDTH, Drawing, Picture, Place, Point, Stroke
from ui.desktop.theme import LIGHT, Theme
from ui.desktop.words import percent

_LABEL = 18  # pixels: height of a label
_DASHES = (6, 4)  # pixels: dash and gap of the box around a rejected mark


class Paper:
    """A canvas that shows a `Drawing` in the theme's colours, or on white if it has a picture."""

    def __init__(self, parent: tk.Misc, drawing: Drawing, theme: Theme) -> None:
        self.canvas = tk.Canvas(parent, width=WIDTH, height=HEIGHT, highlightthickness=0, cursor="crosshair")
        self._drawing = drawing
        self._theme = theme
        self._images: list[tk.PhotoImage] = []  # Tk shows an image only while it is referenced
        self._marks: tuple[tuple[Mark, ...], Place] = ((), Place(0, 0, 1))

    @property
    def _colours(self) -> Theme:
        return LIGHT if self._drawing.has_picture else self._theme

    def use(self, theme: Theme) -> None:
        """Show everything in this theme."""
        self._theme = theme
        self.paint()

    def paint(self) -> None:
        """Redraw the drawing, with the boxes over it."""
        self.canvas.delete("ink")
        self._images.clear()
        self.canvas.configure(background=self._colours.paper)
        for step in self._drawing.visible:
            if isinstance(step, Stroke):
                self.stroke(step)
            elif isinstance(step, Picture):
                self._picture(step)
        self.mark(*self._marks)

    def stroke(self, stroke: Stroke, last: int | None = None) -> None:
        """Draw a stroke, or only its `last` points."""
        points: list[Point] = stroke.points[-last:] if last else stroke.points
        line = points if len(points) > 1 else points * 2
        colour = self._colours.paper if stroke.erases else self._colours.ink
        self.canvas.create_line(
            [value for point in line for value in point],
            width=stroke.width,
            fill=colour,
            capstyle="round",
            joinstyle="round",
            tags="ink",
        )

    def _picture(self, picture: Picture) -> None:
        image = tk.PhotoImage(master=self.canvas, data=picture.shown())
        self._images.append(image)
        left, top, _ = picture.place
        self.canvas.create_image(left, top, image=image, anchor="nw", tags="ink")

    def mark(self, marks: tuple[Mark, ...], place: Place) -> None:
        """Draw boxes around the marks of a picture at `place`, dashed for rejected marks."""
        self._marks = marks, place
        self.canvas.delete("mark")
        for mark in marks:
            self._box(mark, place)

    def _box(self, mark: Mark, place: Place) -> None:
        left, right = (place.left + place.scale * x for x in mark.box[::2])
        top, bottom = (place.top + place.scale * y for y in mark.box[1::2])
        colours = self._colours
        dashes = _DASHES if mark.rejected else ()
        self.canvas.create_rectangle(
            left, top, right, bottom, outline=colours.accent, width=2, dash=dashes, tags="mark"
        )
        text = mark.text if mark.confidence is None else f"{mark.text} · {percent(mark.confidence)}"
        above = top - _LABEL / 2 - 1
        y = above if above > _LABEL / 2 else min(bottom + _LABEL / 2 + 1, HEIGHT - _LABEL / 2)
        label = self.canvas.create_text(
            left + 5, y, text=text, fill=colours.on_accent, anchor="w", tags="mark"
        )
        x, _, end, _ = self.canvas.bbox(label)
        if end + 4 > WIDTH:
            self.canvas.move(label, WIDTH - end - 4, 0)
            x, _, end, _ = self.canvas.bbox(label)
        ground = (x - 5, y - _LABEL / 2, end + 4, y + _LABEL / 2)
        plate = self.canvas.create_rectangle(*ground, fill=colours.accent, outline="", tags="mark")
        self.canvas.tag_raise(label, plate)
