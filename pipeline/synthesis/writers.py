"""The writers of the papers: a synthetic hand with one pen, or a hand that copies MNIST's digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from digits.network.network_input import InkMap
from pipeline.mnist.dataset import Digits
from pipeline.synthesis.canvas import enlarged
from pipeline.synthesis.forms import strokes
from pipeline.synthesis.pen import Curve, Hand, cropped, draw, write
from pipeline.synthesis.unseen_forms import UNSEEN

_FORMS = {digit: [strokes(form) for form in forms] for digit, forms in UNSEEN.items()}
_PENS = (0.05, 0.15)  # stroke width, relative to a digit's height
_FINER = 3  # oversampling factor, which allows pen widths between whole pixels
_WIDEST = 1.15  # the largest width relative to the height; wider digits are written smaller
_LEAST_SIDE = 80  # pixels; MNIST's digits are enlarged to at least this size and then reduced
_DIRT = 0.06  # pieces smaller than this, relative to the largest piece's area, are dirt
_ALIKE = 0.12  # share of each class, the nearest in slant and pen, that forms one hand


class Writer(Protocol):
    """One person with one pen."""

    @property
    def pen(self) -> float:
        """Stroke width, relative to a digit's height."""

    def digit(self, digit: int, height: float) -> InkMap:
        """Write a digit, `height` pixels high or less if it is wide; returns cropped ink, 0..1."""


class PenWriter:
    """A synthetic hand with a preferred form of each digit and a constant slant, pen and care."""

    def __init__(
        self, rng: np.random.Generator, *, pen: float | None = None, tremor: float = 0.4, tilt: float = 0.0
    ) -> None:
        """`pen`: stroke width relative to a digit's height, random by default; `tilt`: degrees."""
        self._rng = rng
        self._pen = float(np.exp(rng.uniform(*np.log(_PENS)))) if pen is None else pen
        care = rng.uniform(0.6, 1.6)
        self._hand = Hand(
            jitter=(care, 2 * care),
            slant=0.03,
            turn=2.0,
            aspect=0.06,
            proportion=0.08,
            bend=1.2 * care,
            apart=2.0,
            ends=0.04,
            joined=0.0,
            tremor=tremor,
            styles=(1.0, 0.0, 0.0),
        )
        slant, turn = rng.normal(0.06, 0.12), np.deg2rad(rng.normal(0, 2) + tilt)
        wide = np.exp(rng.normal(0, 0.1))
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        self._lean = turned @ np.array([[wide, -slant], [0, 1]])
        self._liked = {digit: int(rng.integers(len(forms))) for digit, forms in _FORMS.items()}

    @property
    def pen(self) -> float:
        return self._pen

    def digit(self, digit: int, height: float) -> InkMap:
        forms = _FORMS[digit]
        liked = self._liked[digit] if self._rng.random() < 0.9 else int(self._rng.integers(len(forms)))
        curves = [stroke @ self._lean.T for stroke in write(forms[liked], self._rng, self._hand)]
        return inked(curves, height, self._pen * height)


class MnistWriter:
    """A hand that copies MNIST's digits, choosing digits of similar slant and stroke width."""

    def __init__(self, digits: Digits, habits: NDArray[np.float64], rng: np.random.Generator) -> None:
        """`habits` (n, 2): the result of `habits_of` for the digits."""
        self._rng, self._digits = rng, digits
        model = habits[rng.integers(len(habits))]
        away = ((habits - model) ** 2).sum(axis=1)
        self._chosen = {digit: _nearest(away, digits.labels == digit) for digit in range(10)}
        self._pen = float(np.clip(0.115 * np.exp(0.2 * model[1]), 0.05, 0.2))

    @property
    def pen(self) -> float:
        return self._pen

    def digit(self, digit: int, height: float) -> InkMap:
        image = self._digits.images[self._rng.choice(self._chosen[digit])]
        ink = cropped(_without_dirt(enlarged(image, max(round(height), _LEAST_SIDE))))
        factor = height / max(ink.shape)
        size = tuple(max(2, round(side * factor)) for side in ink.shape[::-1])
        return np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.float32)


def habits_of(digits: Digits) -> NDArray[np.float64]:
    """Return the slant and stroke width of each digit (n, 2), both in standard deviations from the mean."""
    ink = digits.images.astype(np.float64) / 255
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-6)
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]]
    middle = [(ink * place).sum(axis=(1, 2)) / total for place in (x, y)]
    across, down = (place - at[:, None, None] for place, at in zip((x, y), middle, strict=True))
    slant = (ink * across * down).sum(axis=(1, 2)) / np.maximum((ink * down**2).sum(axis=(1, 2)), 1e-6)
    edges = np.abs(np.diff(ink, axis=1)).sum(axis=(1, 2)) + np.abs(np.diff(ink, axis=2)).sum(axis=(1, 2))
    habits = np.stack([slant, total / np.maximum(edges, 1e-6)], axis=1)
    return np.asarray((habits - habits.mean(axis=0)) / np.maximum(habits.std(axis=0), 1e-6))


def inked(curves: Sequence[Curve], height: float, width: float) -> InkMap:
    """Draw curves `height` pixels high with a pen `width` pixels wide; neither need be a whole number."""
    points = np.concatenate(list(curves))
    across, down = np.ptp(points, axis=0)
    pen = max(1, round(width * _FINER))
    ratio = min(across / max(down, 1e-3), _WIDEST)
    longest = max(1.0, ratio) * max(height * _FINER - pen, 1) + pen
    if across > _WIDEST * down:
        longest = _WIDEST * height * _FINER
    fine = draw(curves, longest, pen)
    size = tuple(max(1, round(side / _FINER)) for side in fine.shape[::-1])
    return cropped(np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32))


def _without_dirt(ink: InkMap) -> InkMap:
    """Remove pieces far smaller than the largest one, since a stray dot would look like a decimal point."""
    _, pieces, found, _ = cv2.connectedComponentsWithStats((ink > 0).astype(np.uint8))
    areas = found[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # the paper
    return np.where((areas >= _DIRT * areas.max())[pieces], ink, np.float32(0))


def _nearest(away: NDArray[np.float64], mine: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the indices of the nearest digits among those in `mine`, or among all if there are none."""
    places = np.flatnonzero(mine) if mine.any() else np.arange(len(mine))
    count = max(1, round(_ALIKE * len(places)))
    return places[np.argsort(away[places], kind="stable")[:count]]
