"""Marks that are not digits, made to train and to judge the eleventh output.

Letters that people take for digits (O, l, S, Z, b, g ...) are not among them.
"""

# Why it is so: docs/decisions/rejection.md
from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.contract import CLASSES, FIELD
from digits.network.network_input import InkMap, network_input
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.defects import scanned
from pipeline.synthesis.forms import SIGNS, strokes
from pipeline.synthesis.pen import Curve, curve, draw, some_pen, write
from pipeline.synthesis.prototypes import prototype

NOT_A_DIGIT = CLASSES  # the label of the eleventh output

_LETTERS, _OTHERS = "AEFHKMNRWXefhkmwx", "@&#%*=+$"
_FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)
_SIGNS = {name: strokes(form) for name, form in SIGNS.items()}
_HANDWRITTEN_LETTERS = tuple(name for name in SIGNS if len(name) == 1)
_SCANNED = 0.05  # of the marks come from a coarse scan, as digits do
_LEAST_TURNS = 9.0  # radians: a line that turns less may pass for a digit
_HALVES = ((0, "top"), (0, "bottom"), (3, "left"))  # halves that are no digit themselves

Drawing = list[Curve] | InkMap


def negatives(count: int, seed: int | Sequence[int]) -> Digits:
    """`count` marks of all kinds, mixed, labelled `NOT_A_DIGIT`."""
    return _fields(count, seed, lambda rng: _perhaps_scanned(some_mark(rng), rng))


def marks_of(kind: str, count: int, seed: int | Sequence[int]) -> Digits:
    """`count` marks of one of the `NAMED` kinds, labelled `NOT_A_DIGIT`."""
    makers = NAMED[kind]
    return _fields(count, seed, lambda rng: _inked(makers[rng.integers(len(makers))](rng), rng))


def some_mark(rng: np.random.Generator) -> InkMap:
    """A mark of any kind that is not a digit."""
    makers, shares = list(_KINDS), np.array(list(_KINDS.values()))
    return _inked(makers[rng.choice(len(makers), p=shares)](rng), rng)


def scribble(rng: np.random.Generator) -> Drawing:
    """A pen that wanders, its direction a smoothed random walk; sometimes it is lifted."""
    turns = np.zeros(1)
    while np.abs(np.diff(turns)).sum() < _LEAST_TURNS:
        length, inertia = round(np.exp(rng.uniform(np.log(25), np.log(160)))), int(rng.integers(3, 12))
        steps = np.convolve(rng.normal(0, 1, length + inertia - 1), np.ones(inertia) / inertia, "valid")
        turns = np.cumsum(steps) * rng.uniform(0.6, 2.0)
    points = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)
    points *= 100 / np.ptp(points, axis=0).max()
    if rng.random() < 0.4:
        points = points * np.exp(rng.normal(0, 0.4, 2))
    if rng.random() < 0.75:
        return [points]
    return [part + rng.normal(0, 12, 2) for part in np.array_split(points, rng.integers(2, 5))]


def tangle(rng: np.random.Generator) -> Drawing:
    """A knot through random points, round or angular."""
    points = rng.uniform(0, 100, (int(rng.integers(7, 18)), 2)) * np.exp(rng.normal(0, 0.3, 2))
    return [curve(points, np.full(len(points), rng.random() < 0.5))]


def zigzag(rng: np.random.Generator) -> Drawing:
    """A pen that goes to and fro, as one hatches or crosses out; a thick one would fill it to a bar, a 1."""
    turns, angle, side = int(rng.integers(5, 15)), rng.uniform(0, np.pi), rng.uniform(70, 110)
    across = np.where(np.arange(turns) % 2, 1.0, -1.0) * rng.uniform(0.5, 1.0, turns)
    along = np.linspace(-1, 1, turns) * rng.uniform(0.5, 1.5) + rng.normal(0, 0.05, turns)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = 50 * np.stack([along, across], axis=1) @ turned
    way = curve(points, np.full(turns, rng.random() < 0.5))
    return draw([way], side, round(side * rng.uniform(0.02, 0.08)))


def dash(rng: np.random.Generator) -> Drawing:
    """A lying line, straight or bent; a standing one may be a 1."""
    slope = np.deg2rad(rng.uniform(-28, 28))
    end = 100 * np.array([np.cos(slope), np.sin(slope)])
    middle = end / 2 + end[::-1] * (-1, 1) * rng.normal(0, 0.06)
    return [curve(np.stack([0 * end, middle, end]), np.zeros(3, bool))]


def dots(rng: np.random.Generator) -> Drawing:
    """One blot or some dots."""
    paper = np.zeros((120, 120), np.uint8)
    if rng.random() < 0.5:
        radii = (rng.uniform(10, 40) * np.array([1.0, rng.uniform(0.7, 1.0)])).astype(int)
        cv2.ellipse(paper, (60, 60), radii.tolist(), rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    else:
        for x, y in rng.integers(12, 108, (int(rng.integers(2, 7)), 2)).tolist():
            cv2.circle(paper, (x, y), int(rng.integers(3, 10)), 255, -1, cv2.LINE_AA)
    return _as_ink(paper)


def sign(rng: np.random.Generator, among: Sequence[str] = tuple(SIGNS)) -> Drawing:
    """One of the named signs in handwriting; a thick pen would fill a face to a 0 and two lines to a 1."""
    side = rng.uniform(70, 110)
    form = _SIGNS[among[int(rng.integers(len(among)))]]
    return draw(write(form, rng), side, round(side * rng.uniform(0.02, 0.09)))


def glyph(rng: np.random.Generator, among: str = "") -> Drawing:
    """A sign of `among`, or any, in one of OpenCV's stroke fonts, a little turned and slanted."""
    letters = among or (_LETTERS if rng.random() < 0.75 else _OTHERS)
    letter, face = letters[rng.integers(len(letters))], int(rng.choice(_FACES))
    paper = np.zeros((180, 200), np.uint8)
    thickness = int(rng.integers(2, 12))
    cv2.putText(paper, letter, (45, 120), face, rng.uniform(2.4, 3.2), 255, thickness, cv2.LINE_AA)
    warp = cv2.getRotationMatrix2D((100, 90), rng.normal(0, 8), 1.0)
    slant = rng.normal(0.1, 0.2)
    warp[0, 1] -= slant
    warp[0, 2] += slant * 90
    return _as_ink(cv2.warpAffine(paper, warp, (200, 180)))


def several(rng: np.random.Generator) -> Drawing:
    """Two or three digits in one box."""
    curves: list[Curve] = []
    left = 0.0
    for _ in range(2 if rng.random() < 0.8 else 3):
        digit = prototype(int(rng.integers(CLASSES)), rng)
        points = np.concatenate(digit)
        low, size = points.min(axis=0), np.ptp(points, axis=0)
        scale = 100 / max(size[1], 0.8 * size[0])
        curves += [(stroke - low) * scale + (left, rng.normal(0, 5)) for stroke in digit]
        left += size[0] * scale + rng.uniform(-12, 22)  # touching or apart
    return curves


def half(rng: np.random.Generator) -> Drawing:
    """A digit cut where what is left is none."""
    digit, kept = _HALVES[rng.integers(len(_HALVES))]
    ink = _inked(prototype(digit, rng), rng)
    height, width = (round(side * rng.uniform(0.4, 0.55)) for side in ink.shape)
    parts = {"top": ink[:height], "bottom": ink[-height:], "left": ink[:, :width]}
    return parts[kept]


def border(rng: np.random.Generator) -> Drawing:
    """What is left of a printed box or table: a corner, or a line that ends at another or crosses it.

    A corner at the top right is a 7, and a line that stands on another a 1: these are not among them.
    """
    width, height = 100.0, 100 * np.exp(rng.normal(0, 0.25))
    x, y = rng.uniform(0.25, 0.75, 2) * (width, height)
    left, right, top, bottom = ((0.0, y), (width, y), (x, 0.0), (x, height))
    bits = (
        [[(0.0, 0.0), (0.0, height)], [(0.0, height), (width, height)]],  # corners
        [[(0.0, height), (width, height)], [(width, height), (width, 0.0)]],
        [[(0.0, height), (0.0, 0.0)], [(0.0, 0.0), (width, 0.0)]],
        [[(0.0, 0.0), (width, 0.0)], [(x, 0.0), bottom]],  # a T, upright and on its sides
        [[(0.0, 0.0), (0.0, height)], [(0.0, y), right]],
        [[(width, 0.0), (width, height)], [left, (width, y)]],
        [[left, right], [top, bottom]],  # a crossing
        [[(0.0, 0.0), (0.0, height)], [(0.0, height), (width, height)], [(width, height), (width, 0.0)]],
        [[(0.0, height), (0.0, 0.0)], [(0.0, 0.0), (width, 0.0)], [(width, 0.0), (width, height)]],
    )
    turn = np.deg2rad(rng.normal(0, 2))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    side = rng.uniform(70, 110)
    lines = [np.array(line) @ turned for line in bits[rng.integers(len(bits))]]
    return draw(lines, side, max(1, round(side * rng.uniform(0.015, 0.1))))


_KINDS: dict[Callable[[np.random.Generator], Drawing], float] = {
    scribble: 0.32,
    tangle: 0.06,
    zigzag: 0.06,
    dash: 0.05,
    dots: 0.02,
    sign: 0.15,
    glyph: 0.11,
    several: 0.17,
    half: 0.03,
    border: 0.03,
}

NAMED: dict[str, tuple[Callable[[np.random.Generator], Drawing], ...]] = {
    "dash": (dash,),
    "plus": (lambda rng: sign(rng, ("plus",)), lambda rng: glyph(rng, "+")),
    "times": (lambda rng: sign(rng, ("X",)), lambda rng: glyph(rng, "Xx")),
    "equals": (lambda rng: sign(rng, ("equals",)), lambda rng: glyph(rng, "=")),
    "letter": (lambda rng: sign(rng, _HANDWRITTEN_LETTERS), lambda rng: glyph(rng, _LETTERS)),
    "scribble": (scribble, scribble, tangle, zigzag),
    "border": (border,),
}
"""The kinds that a reader is judged on one by one: who draws them, each as often."""


def _fields(count: int, seed: int | Sequence[int], mark: Callable[[np.random.Generator], InkMap]) -> Digits:
    """So many marks as the network sees them."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, FIELD, FIELD), np.uint8)
    for image in images:
        seen = None
        while seen is None:
            seen = network_input(mark(rng))
        image[:] = seen.round()
    return Digits(images, np.full(count, NOT_A_DIGIT, np.uint8))


def _perhaps_scanned(ink: InkMap, rng: np.random.Generator) -> InkMap:
    return scanned(ink, rng) if rng.random() < _SCANNED else ink


def _inked(drawing: Drawing, rng: np.random.Generator) -> InkMap:
    return draw(drawing, *some_pen(rng)) if isinstance(drawing, list) else drawing


def _as_ink(paper: NDArray[np.uint8] | cv2.typing.MatLike) -> InkMap:
    return np.asarray(paper / np.float32(255), np.float32)
