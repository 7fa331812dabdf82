"""How even the numbers of a column are: type stands and looks the same in each row, as no hand's numbers do.

Digits are measured between pixels, since those of a table are often no higher than thirty of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.layout.atoms import Atom

_HAND = np.array(
    [0.042, 0.045, 0.037]
)  # usual for a hand: how far feet, heights and sides stray, of the height
_LEAST = 0.006  # of the height: nothing is measured as more even
_OTHER, _SAME = 0.3, 0.01  # 1 less the correlation: a hand's two digits of a class, and type's
_GRID = (16, 24)  # columns and rows to which ink is stretched before it is compared
_WIDER = 0.06  # of the height: two digits of one class in one type differ no more in their sides
_FEW = 4.5  # how much is added where few numbers are compared: by chance they may be even
_ROUND = 0.012  # of the height: how far type lets round digits reach out
_ROUND_BELOW, _ROUND_ABOVE = frozenset({0, 3, 5, 6, 8, 9}), frozenset({0, 2, 3, 6, 8, 9})
_BENT = 3  # terms of the curve on which the rows of a photographed column lie
_STRAYS, _STRAY = 4, 0.4  # one of so many numbers may be no type; how much is added for each
_HOPELESS = -0.8  # places less even than that are a hand's, whatever its digits look like

Numbers = Sequence[Sequence["Digit"]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """A digit of a number: what it was read as, its ink, and its edges on the ink map, between pixels."""

    digit: int
    atom: Atom
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, atom: Atom, digit: int) -> Digit:
        ink, (left, top, right, bottom) = atom.pixels, atom.box
        across = ink.max(axis=0).tolist()  # OpenCV takes three times as long this way
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
        """Where it stands: type lets round digits reach a little below."""
        return self.bottom - (_ROUND * (self.bottom - self.top) if self.digit in _ROUND_BELOW else 0)

    @property
    def height(self) -> float:
        """From its foot to where digits end above: type lets round ones reach a little further there, too."""
        over = _ROUND * (self.bottom - self.top) if self.digit in _ROUND_ABOVE else 0
        return self.foot - self.top - over

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True, eq=False)
class Evenness:
    """`score`: about 0 and more for a hand, far less for type; `even` (n,): for which numbers it holds."""

    score: float
    even: NDArray[np.bool_]


def evenness(numbers: Numbers, rows: Sequence[int]) -> Evenness:
    """How even the numbers of a column are; `rows`: where each stands, from the top."""
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
    """Of each digit how like it is the likest of the others of its class and size (n,): a correlation, or 0.

    `others` may be the same digits: none is compared with itself.
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
    """How far from its start a profile first rises to `half`, between pixels."""
    place = next(place for place, level in enumerate(profile) if level >= half)
    before = profile[place - 1] if place else 0
    return place + 0.5 - (profile[place] - half) / (profile[place] - before)


def _place(number: Sequence[Digit]) -> tuple[float, float, float, float, float]:
    """Foot, height, left side, right side and middle of a number."""
    left, right = min(one.left for one in number), max(one.right for one in number)
    foot = sum(one.foot for one in number) / len(number)
    height = sum(one.height for one in number) / len(number)
    return foot, height, left, right, (left + right) / 2


def _within(number: Sequence[Digit]) -> tuple[float, float]:
    """The sums of squares of how far the digits of a number are from its own foot and height."""
    foot, height = _place(number)[:2]
    return sum((one.foot - foot) ** 2 for one in number), sum((one.height - height) ** 2 for one in number)


def _off_curve(places: Floats, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How far places (n, 5) are off smooth curves down the rows; how free each is to be so (n,), 0..1."""
    powers = np.vander((rows - rows.mean()) / max(int(np.ptp(rows)), 1), _BENT)
    basis, _ = np.linalg.qr(powers)
    return places - basis @ (basis.T @ places), 1 + 1e-6 - (basis**2).sum(axis=1)


def _shapes(digits: Sequence[Digit]) -> NDArray[np.float32]:
    """Ink stretched to a grid (n, 384), of mean 0 and length 1: the product of two is their correlation."""
    shapes = np.array([_stretched(digit) for digit in digits], np.float32)
    shapes -= shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-6))


def _stretched(digit: Digit) -> NDArray[np.uint8]:
    left, top = digit.left - digit.atom.box[0], digit.top - digit.atom.box[1]
    across, down = digit.width / _GRID[0], (digit.bottom - digit.top) / _GRID[1]
    stretch = np.array(((across, 0, left + across / 2 - 0.5), (0, down, top + down / 2 - 0.5)))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(digit.atom.pixels, stretch, _GRID, flags=flags).reshape(-1), np.uint8)
