"""Handwritten numbers: digits on a baseline, signs, touching digits, and crossed out or circled numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.network.network_input import InkMap
from pipeline.synthesis.pen import cropped, curve, draw
from pipeline.synthesis.writers import Writer, inked

_GAPS = (0.06, 0.28)  # gap between two digits, relative to a digit's height
_SIZES = (0.92, 1.06)  # size of a single digit, relative to that
_DRIFT = 0.025  # standard deviation of a digit's baseline, relative to that


@dataclass(frozen=True, slots=True)
class Written:
    """The cropped ink of one number, and the row of its baseline in it."""

    ink: InkMap
    foot: int


def written(
    text: str, writer: Writer, height: float, rng: np.random.Generator, *, touching: bool = False
) -> Written:
    """Write a number of digits and the signs `-` `.` `,` with digits about `height` pixels high."""
    placed: list[tuple[InkMap, int, int]] = []  # ink, left, top relative to the baseline
    gap = height * rng.uniform(*_GAPS)
    right = 0
    for character in text:
        ink, down = _character(character, writer, height, rng)
        left = right + round(gap * rng.uniform(0.6, 1.4)) if placed else 0
        if touching and placed:
            left = _until_it_touches(placed[-1], ink, down)
        placed.append((ink, left, down))
        right = max(right, left + ink.shape[1])
    return _joined(placed)


def struck(width: float, height: float, pen: float, rng: np.random.Generator) -> InkMap:
    """Draw a zigzag of this size in pixels that crosses out a number."""
    turns = int(rng.integers(6, 10))
    x = np.linspace(0, width, turns) + rng.normal(0, width / 40, turns)
    y = np.where(np.arange(turns) % 2, 0.0, height) * rng.uniform(0.85, 1.0, turns)
    return _drawn(np.stack([x, y], axis=1), pen)


def circled(width: float, height: float, pen: float, rng: np.random.Generator) -> InkMap:
    """Draw a hand-drawn ring of this size in pixels whose ends do not quite meet."""
    turn = np.linspace(0, 2 * np.pi * rng.uniform(0.97, 1.06), 24) + rng.uniform(0, 2 * np.pi)
    wobble = 1 + 0.03 * np.sin(2 * turn + rng.uniform(0, 6))
    points = np.stack([np.cos(turn) * width / 2, np.sin(turn) * height / 2], axis=1) * wobble[:, None]
    return _drawn(points, pen)


def level_stroke(length: float, pen: float, rng: np.random.Generator) -> InkMap:
    """Draw one nearly horizontal stroke, `length` pixels long."""
    bend = length * rng.normal(0, 0.015)
    points = np.array([[0.0, 0.0], [length / 2, bend], [length, length * rng.normal(0, 0.03)]])
    return _drawn(points, pen)


def _character(character: str, writer: Writer, height: float, rng: np.random.Generator) -> tuple[InkMap, int]:
    """Return a character's ink and its upper edge in pixels relative to the baseline (negative is above)."""
    pen = writer.pen * height
    if character == "-":
        ink = level_stroke(height * rng.uniform(0.35, 0.55), pen, rng)
        return ink, -round(height * rng.uniform(0.42, 0.55) + ink.shape[0] / 2)
    if character == ".":
        ink = _drawn(np.array([[0.0, 0.0], [0.2 * pen + 0.1, 0.1 * pen]]), max(1.4 * pen, 2.0))
        return ink, -ink.shape[0] + round(0.02 * height)
    if character == ",":
        size = max(height * rng.uniform(0.12, 0.2), 1.6 * pen)
        ink = _drawn(np.array([[0.4 * size, 0.0], [0.35 * size, 0.5 * size], [0.0, 1.3 * size]]), 1.1 * pen)
        return ink, -round(0.4 * ink.shape[0])
    ink = writer.digit(int(character), height * rng.uniform(*_SIZES))
    return ink, round(rng.normal(0, _DRIFT * height)) - ink.shape[0]


def _drawn(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]], pen: float) -> InkMap:
    """Draw a curve through the points with a pen of this width, both in pixels."""
    way = curve(points, np.zeros(len(points), bool))
    across, down = np.ptp(way, axis=0)
    if across <= 1.15 * down:
        return inked([way], float(down) + pen, pen)
    # `inked` scales by the height, so a horizontal curve is scaled by its length here.
    return cropped(draw([way], float(across) + pen, max(1, round(pen))))


def _until_it_touches(last: tuple[InkMap, int, int], ink: InkMap, down: int) -> int:
    """Return the left edge in pixels at which the ink just touches the previous character's ink."""
    before, left, above = last
    top, bottom = max(above, down), min(above + before.shape[0], down + ink.shape[0])
    start = left + int(before.shape[1])
    if bottom <= top:
        return start - 1
    ours, theirs = ink[top - down : bottom - down] > 0.5, before[top - above : bottom - above] > 0.5
    reach = np.where(theirs.any(axis=1), theirs.shape[1] - theirs[:, ::-1].argmax(axis=1), -(10**6))
    begin = np.where(ours.any(axis=1), ours.argmax(axis=1), 10**6)
    nearest = int((left + reach - begin).max())
    least = max(
        left + 0.4 * before.shape[1], start - 0.35 * ink.shape[1]
    )  # a larger overlap would be illegible
    return max(min(nearest - 1, start), int(least))


def _joined(placed: list[tuple[InkMap, int, int]]) -> Written:
    lefts = min(left for _, left, _ in placed)
    top = min(down for _, _, down in placed)
    width = max(left + ink.shape[1] for ink, left, _ in placed) - lefts
    height = max(down + ink.shape[0] for ink, _, down in placed) - top
    paper = np.zeros((height, width), np.float32)
    for ink, left, down in placed:
        part = paper[down - top : down - top + ink.shape[0], left - lefts : left - lefts + ink.shape[1]]
        np.maximum(part, ink, out=part)
    return Written(paper, -top)
