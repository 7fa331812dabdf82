"""Measures how uniform the numbers of a column are, which is far more in print than in handwriting.

Positions are measured at subpixel precision, because the digits of a table are often at most thirty pixels
high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom

# Usual standard deviations of handwritten digits' feet, heights and sides, relative to their height.
_HAND = np.array([0.042, 0.045, 0.037])
_LEAST = 0.006  # least measurable deviation, relative to the height
_OTHER, _SAME = 0.3, 0.01  # 1 - correlation of two digits of a class, in handwriting and in print
_GRID = (16, 24)  # columns and rows of the grid to which ink is stretched for comparison
_WIDER = 0.06  # greatest difference in the sides of two printed digits of one class, relative to the height
_FEW = 4.5  # penalty for few numbers, which may be uniform by chance
_ROUND = 0.012  # overshoot of round digits in print, relative to the height
_ROUND_BELOW, _ROUND_ABOVE = frozenset({0, 3, 5, 6, 8, 9}), frozenset({0, 2, 3, 6, 8, 9})
_BENT = 3  # number of terms of the polynomial that the places in a photographed column follow from row to row
_STRAYS, _STRAY = 4, 0.4  # one number in this many may be left out, each at this penalty
_HOPELESS = -0.8  # score of the positions above which a column is handwritten, whatever its digits look like

Numbers = Sequence[Sequence["Digit"]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """A digit of a number: the digit that was read, its ink, and its edges on the ink map in subpixels."""

    digit: int
    atom: Atom
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, atom: Atom, digit: int) -> Digit:
        ink, (left, top, right, bottom) = atom.pixels, atom.box
        across = ink.max(axis=0).tolist()  # OpenCV takes three times as long in this direction
        down = cv2.reduce(ink, 1, cv2.REDUCE_MAX).ravel().tolist()
        half = max(max(down) / 2, 1)
        return cls(
            digit,
            atom,
            left + _edge(across, half),
            top + _edge(down, half),
            right - _edge(across[::-1], half),
            bottom - _edge(down[::-1], half),
        )

    @property
    def foot(self) -> float:
        """The baseline of the digit. Round digits in print overshoot it a little."""
        return self.bottom - (_ROUND * (self.bottom - self.top) if self.digit in _ROUND_BELOW else 0)

    @property
    def height(self) -> float:
        """The height above the baseline. Round digits in print overshoot it a little at the top, too."""
        over = _ROUND * (self.bottom - self.top) if self.digit in _ROUND_ABOVE else 0
        return self.foot - self.top - over

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True, eq=False)
class Evenness:
    """How uniform a column is.

    `score` is about 0 or more for handwriting, and far less for print. `even` (n,) is true for the numbers
    that it is about, and false for those that were left out.
    """

    score: float
    even: NDArray[np.bool_]


def evenness(numbers: Numbers, rows: Sequence[int]) -> Evenness:
    """How uniform the numbers of a column are; `rows` are their rows, from the top."""
    height = usual_height(numbers)
    places = np.array([_place(number) for number in numbers]) / height
    within = np.array([_within(number) for number in numbers]) / height**2
    more = np.array([len(number) - 1 for number in numbers])
    even = np.ones(len(numbers), np.bool_)
    best = Evenness(np.inf, even)
    for _ in range(1 + len(numbers) // _STRAYS):
        free = np.count_nonzero(even) - _BENT
        if free < 1:
            break
        off, alone = _off_curve(places[even], np.array(rows)[even])
        squares = (off**2).sum(axis=0)
        side = 2 + int(squares[2:].argmin())
        inside = within[even].sum(axis=0)
        spread = np.sqrt(
            [*(squares[:2] + inside) / (free + more[even].sum()), squares[side] / free],
        )
        score = (
            float(np.log(np.maximum(spread, _LEAST) / _HAND).sum())
            + _FEW / free**0.5
            + _STRAY * np.count_nonzero(~even)
        )
        if score >= best.score:
            break
        best = Evenness(score, even)
        worst = int((np.abs(off[:, [0, 1, side]]).max(axis=1) / alone).argmax())
        even = even.copy()
        even[np.flatnonzero(even)[worst]] = False
    if best.score > _HOPELESS:
        return best
    digits = [digit for number, here in zip(numbers, best.even, strict=True) if here for digit in number]
    lacking = np.clip(1 - likeness(digits, digits, height), _SAME, _OTHER)
    return Evenness(best.score + float(np.log(lacking / _OTHER).mean()), best.even)


def likeness(digits: Sequence[Digit], others: Sequence[Digit], height: float) -> Floats:
    """The likeness (n,) of each digit to the most similar other digit of its class and size.

    It is their correlation, or 0 if there is none. `others` may be the same list as `digits`. A digit is not
    compared with itself.
    """
    shapes = _shapes(digits)
    theirs = shapes if others is digits else _shapes(others)
    sides, their_sides = (
        np.array([(10.0 * height * one.digit, one.width, one.height) for one in some])
        for some in (digits, others)
    )
    alike = (np.abs(sides[:, None] - their_sides) < _WIDER * height).all(axis=2)
    if others is digits:
        np.fill_diagonal(alike, val=False)
    return np.asarray(np.where(alike, shapes @ theirs.T, 0.0).max(axis=1))


def usual_height(numbers: Numbers) -> float:
    """The median height of the digits, in pixels."""
    return median(digit.height for number in numbers for digit in number)


def _edge(profile: Sequence[float], half: float) -> float:
    """The distance from the start of a profile to the place where it first rises to `half`, in subpixels."""
    place = 0
    while profile[place] < half:
        place += 1
    before = profile[place - 1] if place else 0
    return place + 0.5 - (profile[place] - half) / (profile[place] - before)


def _place(number: Sequence[Digit]) -> tuple[float, float, float, float, float]:
    """Baseline, height, left side, right side and middle of a number."""
    left, right = min(one.left for one in number), max(one.right for one in number)
    foot = sum(one.foot for one in number) / len(number)
    height = sum(one.height for one in number) / len(number)
    return foot, height, left, right, (left + right) / 2


def _within(number: Sequence[Digit]) -> tuple[float, float]:
    """Sums of squared deviations of a number's digits from the number's own baseline and height."""
    foot, height = _place(number)[:2]
    return sum((one.foot - foot) ** 2 for one in number), sum((one.height - height) ** 2 for one in number)


def _off_curve(places: Floats, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Deviations of places (n, 5) from smooth curves down the rows, and 1 minus the leverage of each (n,)."""
    powers = np.vander((rows - rows.mean()) / max(int(np.ptp(rows)), 1), _BENT)
    basis, _ = np.linalg.qr(powers)
    return places - basis @ (basis.T @ places), 1 + 1e-6 - (basis**2).sum(axis=1)


def _shapes(digits: Sequence[Digit]) -> NDArray[np.float32]:
    """Ink stretched to a grid (n, 384), with mean 0 and norm 1: a product of two is their correlation."""
    shapes = np.array([_stretched(digit) for digit in digits], np.float32)
    shapes -= shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-6))


def _stretched(digit: Digit) -> NDArray[np.uint8]:
    left, top = digit.left - digit.atom.box[0], digit.top - digit.atom.box[1]
    across, down = digit.width / _GRID[0], (digit.bottom - digit.top) / _GRID[1]
    stretch = np.array(((across, 0, left + across / 2 - 0.5), (0, down, top + down / 2 - 0.5)))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(digit.atom.pixels, stretch, _GRID, flags=flags).reshape(-1), np.uint8)
