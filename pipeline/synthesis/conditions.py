"""Pictures of single digits under many conditions, of marks that are not digits, and of empty sheets.

A picture's text is the digit, `?` for a mark that is not a digit, or "" for a sheet without writing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digits.network.network_input import InkMap
from pipeline.synthesis.boxes import some_height
from pipeline.synthesis.defects import coarse
from pipeline.synthesis.negatives import NAMED
from pipeline.synthesis.numbers import level_stroke
from pipeline.synthesis.pen import cropped, draw
from pipeline.synthesis.photos import photographed
from pipeline.synthesis.sheets import Rule, Sheet, some_rule
from pipeline.synthesis.writers import PenWriter

Condition = Literal[
    "canvas",
    "thin",
    "thick",
    "tiny",
    "shaky",
    "tilted",
    "faint",
    "shadow",
    "ruled",
    "specks",
    "photo",
    "inverted",
    "scan",
    "scribble",
    "dash",
    "plus",
    "times",
    "equals",
    "letter",
    "border",
    "blank",
    "level stroke",
    "empty form",
]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
SEVERAL: tuple[Condition, ...] = ("level stroke", "empty form")  # here all marks of a picture are read

Grey = NDArray[np.float32]
"""A picture (height, width), 0 black to 1 white."""

_SIDE = 400  # pixels
_LONGEST = 380  # pixels of a digit


def make_condition(condition: Condition, rng: np.random.Generator) -> tuple[str, Image.Image]:
    """Return a picture's text and the picture; each call uses a different hand."""
    if condition in NAMED:
        return "?", _mark(condition, rng)
    if condition in _WITHOUT:
        return _WITHOUT[condition](rng)
    digit = int(rng.integers(10))
    pen = {"thin": rng.uniform(0.018, 0.032), "thick": rng.uniform(0.17, 0.23)}.get(condition)
    tilt = rng.choice([-1, 1]) * rng.uniform(14, 24) if condition == "tilted" else 0.0
    writer = PenWriter(rng, pen=pen, tremor=1.5 if condition == "shaky" else 0.4, tilt=float(tilt))
    height = rng.uniform(13, 26) if condition == "tiny" else rng.uniform(90, 280)
    ink = writer.digit(digit, height)[:_LONGEST, :_LONGEST]
    if condition == "scan":
        return str(digit), _image(1 - coarse(ink, rng))
    side = round(rng.uniform(2, 5) * height) if condition == "tiny" else _SIDE
    top, left = (round(rng.uniform(6, side - length - 6)) for length in ink.shape)
    if condition == "photo":
        sheet = Sheet(side, side)
        sheet.write(ink, left, top)
        return str(digit), photographed(sheet, rng)
    paper = np.zeros((side, side), np.float32)
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return str(digit), _image(_CHANGES.get(condition, _plain)(paper, rng))


def _plain(ink: InkMap, _: np.random.Generator) -> Grey:
    return 1 - ink


def _inverted(ink: InkMap, rng: np.random.Generator) -> Grey:
    dark = rng.uniform(0, 0.25)
    return np.asarray(dark + (rng.uniform(0.75, 1) - dark) * ink, np.float32)


def _faint(ink: InkMap, rng: np.random.Generator) -> Grey:
    return np.asarray(rng.uniform(0.85, 1) - rng.uniform(0.12, 0.28) * ink, np.float32)


def _shadow(ink: InkMap, rng: np.random.Generator) -> Grey:
    """Cast a shadow with a soft or hard edge over part of the sheet."""
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]] / ink.shape[0] - 0.5
    angle, place, soft = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3), rng.uniform(0.006, 0.06)
    away = (np.cos(angle) * x + np.sin(angle) * y - place) / soft
    light = 1 - rng.uniform(0.35, 0.7) / (1 + np.exp(np.clip(away, -30, 30)))
    return np.asarray((0.97 - 0.8 * ink) * light, np.float32)


def _ruled(ink: InkMap, rng: np.random.Generator) -> Grey:
    """Add printed lines or squares, pale or dark, a few pixels wide, at a small random angle."""
    height, width = ink.shape
    sheet, step = Sheet(width, height), rng.uniform(28, 70)
    rule, slope = Rule(int(rng.integers(1, 4))), rng.normal(0, 0.03) * width
    squared = rng.random() < 0.35
    for at in np.arange(rng.uniform(-1, 1) * step, max(height, width) + step, step):
        sheet.rule((-5, at), (width + 5, at + slope), rule)
        if squared:
            sheet.rule((at, -5), (at - slope, height + 5), rule)
    lines = sheet.print.astype(np.float32) / 255 * rng.uniform(0.25, 0.85)
    return np.asarray(1 - np.maximum(0.9 * ink, lines), np.float32)


def _specks(ink: InkMap, rng: np.random.Generator) -> Grey:
    """Add specks of dirt, each a few pixels wide and up to as dark as the pen."""
    paper = np.ascontiguousarray(ink)
    for x, y in rng.uniform(0, ink.shape[0], (int(rng.integers(5, 25)), 2)):
        cv2.circle(
            paper, (int(x), int(y)), int(rng.integers(0, 3)), float(rng.uniform(0.5, 1)), -1, cv2.LINE_AA
        )
    return 1 - paper


def _mark(kind: str, rng: np.random.Generator) -> Image.Image:
    """Draw a mark that is not a digit, with some paper around it."""
    makers = NAMED[kind]
    drawing, side = makers[rng.integers(len(makers))](rng), float(rng.uniform(120, 280))
    ink = draw(drawing, side, round(side * rng.uniform(0.03, 0.07))) if isinstance(drawing, list) else drawing
    return _image(1 - np.pad(ink, 30))


def _blank(rng: np.random.Generator) -> tuple[str, Image.Image]:
    """Return an empty sheet: white, black, in shadow, ruled, or photographed."""
    empty = np.zeros((300, 300), np.float32)
    kind = rng.integers(5)
    if kind == 0:
        return "", photographed(Sheet(300, 300, "cut"), rng)
    change = (_plain, _inverted, _shadow, _ruled)[kind - 1]
    return "", _image(change(empty, rng))


def _level_stroke(rng: np.random.Generator) -> tuple[str, Image.Image]:
    """Draw one horizontal stroke of any length and width, which is a minus sign or a single other mark."""
    length = some_height(rng, 30, 340)
    ink = cropped(level_stroke(length, max(2.0, length * rng.uniform(0.015, 0.14)), rng))
    paper = np.zeros((_SIDE, _SIDE), np.float32)
    top, left = (round(rng.uniform(6, _SIDE - side - 6)) for side in ink.shape)
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return "-", _image(1 - paper)


def _empty_form(rng: np.random.Generator) -> tuple[str, Image.Image]:
    """Draw an empty table or row of boxes, or one empty cell with parts of its border."""
    height, rule = some_height(rng, 30, 90), some_rule(rng, 60.0)
    if rng.random() < 0.4:
        sheet = Sheet(1.5 * height, height, "cut")
        for at in rng.uniform(-0.02, 0.1, 2) * height:
            sheet.rule((-2, at), (1.5 * height + 2, at), rule)
            sheet.rule((1.5 * height - 1 - at, -2), (1.5 * height - 1 - at, height + 2), rule)
    else:
        rows, columns = int(rng.integers(1, 5)), int(rng.integers(2, 7))
        sheet = Sheet((columns + 1) * height, (rows + 1) * height)
        for row in range(rows):
            for column in range(columns):
                left, top = (column + 0.5) * height, (row + 0.5) * height
                sheet.frame(left, top, left + height, top + height, rule)
    if rng.random() < 0.5:
        return "", photographed(sheet, rng)
    return "", Image.fromarray(sheet.coloured(rng))


_CHANGES: dict[Condition, Callable[[InkMap, np.random.Generator], Grey]] = {
    "inverted": _inverted,
    "faint": _faint,
    "shadow": _shadow,
    "ruled": _ruled,
    "specks": _specks,
}
_WITHOUT: dict[Condition, Callable[[np.random.Generator], tuple[str, Image.Image]]] = {
    "blank": _blank,
    "level stroke": _level_stroke,
    "empty form": _empty_form,
}


def _image(grey: Grey) -> Image.Image:
    return Image.fromarray((255 * np.clip(grey, 0, 1)).round().astype(np.uint8))
